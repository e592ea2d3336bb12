"""What is slow follows from seconds alone, and the list of it is in order."""

from __future__ import annotations

import pytest

from tests.processor_time import ONE_S, SLOW, function_of, slow_functions


def test_functions_are_told_by_their_names_without_the_case() -> None:
    assert function_of("tests/test_a.py::test_b[c[0]-d]") == "tests/test_a.py::test_b"


@pytest.mark.parametrize(
    ("seconds", "slow"),
    [
        ([ONE_S], False),
        ([0.0, ONE_S + 0.01], True),
        ([ONE_S] * 6, False),
        ([ONE_S] * 7, True),
    ],
)
def test_a_function_is_slow_by_one_case_or_by_all(seconds: list[float], slow: bool) -> None:
    assert slow_functions({"one": seconds}) == (["one"] if slow else [])


def test_the_list_is_sorted_and_names_functions() -> None:
    """A function that is gone does no harm in it: the next measurement leaves it out."""
    names = SLOW.read_text("utf-8").splitlines()

    assert names == sorted(set(names))
    assert [name for name in names if name != function_of(name) or "::test_" not in name] == []
