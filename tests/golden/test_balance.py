"""Each format and each preset has golden successes, and at least as many golden refusals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from scoring.contracts import Format
from scoring.errors import CODES
from scoring.tracks import presets
from tests.golden.test_golden import CASES, track_of

NAMES = list(CODES)
# What is refused before a format is recognised speaks for none.
OF_ARCHIVES = set(NAMES[NAMES.index("not_an_archive") : NAMES.index("corrupt_archive") + 1])


@cache
def format_of(name: str) -> Format | None:
    """Return the format that a case is about: its track's only one, or the one that its files show."""
    case = CASES[name]
    if set(case.get("codes", [])) & OF_ARCHIVES:
        return None
    formats = track_of(case).formats
    if len(formats) == 1:
        return formats[0]
    entry = case["entry"]
    names = [entry.get("name", ""), *(member["path"] for member in entry.get("members", []))]
    has_code = any(name.rpartition("/")[2] == "model.py" for name in names)
    return Format.CVPR_ZIP if has_code else Format.ONNX


def balance(cases: list[Mapping[str, Any]]) -> tuple[int, int]:
    """Return how many of the cases are refused, and how many are not."""
    refused = sum(case["verdict"] == "rejected" for case in cases)
    return refused, len(cases) - refused


@pytest.mark.parametrize("kind", Format)
def test_a_format_is_refused_at_least_as_often_as_accepted(kind: Format) -> None:
    refused, taken = balance([case for name, case in CASES.items() if format_of(name) is kind])

    assert refused >= taken > 0


@pytest.mark.parametrize("preset", presets())
def test_a_preset_refuses_at_least_as_often_as_it_accepts(preset: str) -> None:
    refused, taken = balance([case for case in CASES.values() if case["track"] == preset])

    assert refused >= taken > 0
