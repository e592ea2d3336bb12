"""What counts as a difference between a model and its other form."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.sandboxed import differences


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([1.0, 2.0, 3.0], 0.0),
        ([1.0, 2.5, 2.75], 0.5),
        ([1.0, np.nan, 3.0], np.inf),
        ([1.0, np.inf, 3.0], np.inf),
        ([1.0, 2.0], np.inf),
    ],
)
def test_the_largest_difference(found: list[float], expected: float) -> None:
    assert differences.largest_between(np.array([1.0, 2.0, 3.0]), np.array(found)) == expected


def test_the_same_nan_and_the_same_infinity_are_no_difference() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 1.0])

    assert differences.largest_between(values, values.copy()) == 0.0


def test_bytes_do_not_wrap_around() -> None:
    assert differences.largest_between(np.array([1], np.uint8), np.array([2], np.uint8)) == 1.0


def test_the_largest_output_is_a_number() -> None:
    assert differences.largest(np.array([np.nan, np.inf, -3.0, 2.0])) == 3.0


@pytest.mark.parametrize(
    ("found", "scale", "is_rounding"), [(0.01, 0.1, True), (0.02, 1.0, False), (0.9, 100, True)]
)
def test_a_difference_is_measured_by_the_largest_output_where_that_is_above_one(
    found: float, scale: float, is_rounding: bool
) -> None:
    assert differences.is_rounding(found, scale) is is_rounding


def test_numbers_that_differ_are_counted() -> None:
    assert differences.differing(np.array([0.0, 0.5, 1.0]), np.array([0.0005, 0.5, 1.1])) == 1
