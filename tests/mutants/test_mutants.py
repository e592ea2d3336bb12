"""The ways to break a line, which of them are drawn, and what a run says of a module's tests."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.mutants.operators import mutants, mutated
from tests.mutants.run import draw, equivalents
from tests.mutants.running import ROOT
from tests.mutants.targets import TARGETS

MODULE = "competition/leaderboard/ranking.py"
LINES = """
def both(a, b):
    return a < b and b
"""


def broken(line: str) -> set[str]:
    """Return what a line may become."""
    return {ast.unparse(mutated(line, mutant)) for mutant in mutants(line)}


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("x = a < b", {"x = a <= b", "x = a >= b"}),
        ("x = a >= b", {"x = a > b", "x = a < b"}),
        ("x = a == b", {"x = a != b"}),
        ("x = a is b", {"x = a is not b"}),
        ("x = a in b", {"x = a not in b"}),
        ("x = a < b == c", {"x = a <= b == c", "x = a >= b == c", "x = a < b != c"}),
        ("x = a and b", {"x = a or b", "x = a", "x = b"}),
        ("x = a or b or c", {"x = a and b and c", "x = b or c", "x = a or c", "x = a or b"}),
        ("x = not a", {"x = a"}),
        ("x = a + b", {"x = a - b"}),
        ("x = -a", {"x = a"}),
        ("x = 1", {"x = 2"}),
        ("x = True", {"x = False"}),
        ("x += y", {"x -= y", "pass"}),
        ("x = max(a, b)", {"x = min(a, b)"}),
        ("x = any(a)", {"x = all(a)"}),
        ("x = sorted(a, key=b)", {"x = list(a)", "x = sorted(a)"}),
        ("x = f(a, seed=b)", {"x = f(a)"}),
        ("x = rows.filter(a)", {"x = rows"}),
        ("x = [a for a in b if a]", {"x = [a for a in b]"}),
        ("x = a if b else c", {"x = a if not b else c"}),
        ("raise a", {"pass"}),
        ("f(a)", {"pass"}),
        ("@atomic\ndef f():\n    pass", {"def f():\n    pass"}),
        ("def f():\n    return a", {"def f():\n    return None"}),
        ("if a:\n    b", {"if not a:\n    b", "if a:\n    pass"}),
    ],
)
def test_each_kind_of_line_is_broken_in_its_ways(line: str, becomes: set[str]) -> None:
    assert broken(line) == becomes


@pytest.mark.parametrize(
    "line",
    [
        '"""A docstring."""',
        "x: A | B = y",
        "Found = First | Second",
        "def f(x: int | None) -> A | B:\n    ...",
    ],
)
def test_what_no_test_could_notice_is_left_alone(line: str) -> None:
    assert broken(line) == set()


def test_a_mutant_keeps_its_name_when_lines_move() -> None:
    assert [m.name for m in mutants(f"\n\n{LINES}")] == [m.name for m in mutants(LINES)]


def test_equal_changes_have_names_of_their_own() -> None:
    names = [mutant.name for mutant in mutants("x = f(1, 1)")]

    assert names == ["module: 1 -> 2", "module: 1 -> 2 (2)"]


def test_a_draw_depends_on_the_seed_alone() -> None:
    found = mutants((ROOT / MODULE).read_text())

    assert draw(found, most=5, seed="1") == draw(found, most=5, seed="1") != draw(found, most=5, seed="2")


def test_every_module_that_is_broken_and_its_tests_are_there() -> None:
    named = {name for target in TARGETS for name in (target.module, *target.tests)}

    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_what_is_called_equivalent_is_still_a_mutant() -> None:
    stale = [
        f"{module}: {name}"
        for module, known in equivalents().items()
        for name in set(known) - {mutant.name for mutant in mutants((ROOT / module).read_text("utf-8"))}
    ]

    assert stale == []


@pytest.mark.slow
def test_a_trial_runs_the_tests_on_the_code_that_it_is_given(tmp_path: Path) -> None:
    test = tmp_path / "test_answer.py"
    test.write_text("def test(): from competition.leaderboard.ranking import ANSWER; assert ANSWER == 42\n")
    program = f"""
        from tests.mutants.running import start
        for code, limit_s in (("ANSWER = 42", 90), ("ANSWER = 41", 90), ("while True: ...", 5)):
            trial = start({MODULE!r}, compile(code, "x", "exec"), [{str(test)!r}], limit_s=limit_s)
            print(trial.wait().value)
    """

    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert told.stdout.splitlines() == ["passed", "failed", "timed out"]
