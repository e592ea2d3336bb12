"""The list of slow tests names tests that there are, and what is slow follows from seconds alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.processor_time import ONE_S, SLOW, function_of, slow_functions

ROOT = Path(__file__).parent.parent
NAMES = SLOW.read_text("utf-8").splitlines()


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


def test_the_list_names_tests_that_there_are() -> None:
    """To renew it: `python -m tests.processor_time` with the times of a whole run."""
    files = {name.partition("::")[0] for name in NAMES}
    there = {file: _functions(ROOT / file) for file in files}

    assert sorted(NAMES) == NAMES
    assert [name for name in NAMES if name.rpartition("::")[2] not in there[name.partition("::")[0]]] == []


def _functions(path: Path) -> set[str]:
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
