"""How a command ends: the same fields on stdout whatever happened, and the exit code that belongs to it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scoring.cli.ending import (
    EXIT_FAULT,
    EXIT_OK,
    EXIT_REJECTED,
    Ending,
    Printing,
    ending_of,
    run_and_print,
)
from scoring.cli.screen import Screen
from scoring.errors import Fault, reject
from scoring.tracks import load_track
from tests.examples import scored_report

TRACK = load_track("gasbench-image").spec
End = Callable[[Screen, Path], Ending]


def scores(screen: Screen, workdir: Path) -> Ending:
    return ending_of(scored_report(log="from measure"), TRACK)


def rejects(screen: Screen, workdir: Path) -> Ending:
    raise reject("missing_file", expected="model.py", log="from measure")


def fails(screen: Screen, workdir: Path) -> Ending:
    raise Fault("the disk is full")


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    def told(flow: End, *, with_log: bool = False, more: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
        code = run_and_print(flow, TRACK, printing=Printing(as_json=True, with_log=with_log), more=more)
        return code, json.loads(capsys.readouterr().out)

    return told


def test_each_end_prints_the_same_fields_in_the_same_order(told: Callable) -> None:
    ends = {flow: told(flow) for flow in (scores, rejects, fails)}

    assert [code for code, _ in ends.values()] == [EXIT_OK, EXIT_REJECTED, EXIT_FAULT]
    assert len({tuple(report) for _, report in ends.values()}) == 1


@pytest.mark.parametrize("flow", [scores, rejects, fails])
def test_each_end_names_the_track_its_classes_and_its_gate(told: Callable, flow: End) -> None:
    _, report = told(flow)

    assert report["class_names"] == list(TRACK.output.class_names)
    assert report["max_latency_ms"] == TRACK.budgets.max_latency_ms


@pytest.mark.parametrize(
    ("flow", "with_log", "log"),
    [
        (scores, False, None),
        (scores, True, "from measure"),
        (rejects, False, "from measure"),
        (fails, True, None),
    ],
)
def test_the_log_is_null_where_none_is_shown(
    told: Callable, flow: End, with_log: bool, log: str | None
) -> None:
    assert told(flow, with_log=with_log)[1]["log"] == log


@pytest.mark.parametrize("flow", [rejects, fails])
def test_what_a_command_adds_to_its_report_is_null_without_an_outcome(told: Callable, flow: End) -> None:
    assert told(flow, more=("export",))[1]["export"] is None
