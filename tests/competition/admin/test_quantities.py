"""Counts and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.admin.tracks.quantities import BYTES, DECIMAL, read_quantity, write_bytes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30M", 30 * 10**6),
        ("5 g", 5 * 10**9),
        ("5B", 5 * 10**9),
        ("1.5k", 1500),
        ("30,000,000", 30_000_000),
        ("30 000 000", 30_000_000),
        (" 7 ", 7),
    ],
)
def test_counts_may_have_decimal_units(text: str, value: int) -> None:
    assert read_quantity(text, DECIMAL) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512 MiB", 512 * 2**20),
        ("1.5 KiB", 1536),
        ("100MB", 10**8),
        ("12 B", 12),
        ("1 TiB", 2**40),
        ("9 bytes", 9),
    ],
)
def test_sizes_may_have_binary_units(text: str, value: int) -> None:
    assert read_quantity(text, BYTES) == value


@pytest.mark.parametrize(
    "text", ["", "many", "-1", "1.5", "1.0001k", "5 GiB of", "1e9", "0x10", "٣", "9" * 20, ".5k"]
)
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="“"):
        read_quantity(text, DECIMAL)


def test_a_binary_unit_is_no_count() -> None:
    with pytest.raises(ValueError, match="unit"):
        read_quantity("5 GiB", DECIMAL)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_written_size_reads_back(value: int) -> None:
    assert read_quantity(write_bytes(value), BYTES) == value
