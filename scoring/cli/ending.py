"""How a command ends: its report printed for people or as JSON, and its exit code.

The flow of a command raises only Rejected and Fault; each has its exit code.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from scoring.cli.screen import Screen
from scoring.contracts import ScoreReport, TrackSpec
from scoring.errors import Fault, Rejected
from scoring.files.workdirs import own_root, workdir
from scoring.reports import report

EXIT_OK, EXIT_REJECTED, EXIT_USAGE, EXIT_FAULT = 0, 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class Printing:
    """How the user wants to be told: as JSON, or for people; with the log of a run that went well too."""

    as_json: bool
    with_log: bool


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What a flow that was not refused has to say; `lines` are for people, above the report."""

    report: dict[str, Any]
    log: str
    lines: tuple[str, ...] = ()


Flow = Callable[[Screen, Path], Ending]


def ending_of(result: ScoreReport, track: TrackSpec) -> Ending:
    """Return what a check or a score has to say."""
    told = report.accepted_or_scored(result, **_of_track(track))
    return Ending(report=told, log=result.log)


def run_and_print(flow: Flow, track: TrackSpec, *, printing: Printing, more: tuple[str, ...] = ()) -> int:
    """Run the flow in its own folder, print the outcome and return the exit code.

    `more` names the fields that the flow adds to its report; after a rejection or a fault they are null.
    """
    with Screen(quiet=printing.as_json) as screen:
        try:
            with workdir(own_root()) as folder:
                ending, code = flow(screen, folder), EXIT_OK
        except Rejected as exc:
            told = report.rejected(exc, track=track.slug, **_of_track(track))
            ending, code = Ending(report=told | dict.fromkeys(more), log=exc.log), EXIT_REJECTED
        except Fault as exc:
            told = report.fault(exc, track=track.slug, **_of_track(track))
            ending, code = Ending(report=told | dict.fromkeys(more), log=""), EXIT_FAULT
    _print(screen, ending, ending.log if printing.with_log or code else "", as_json=printing.as_json)
    return code


def _of_track(track: TrackSpec) -> dict[str, Any]:
    """Return what a report shows of its track, apart from the name."""
    return {"class_names": track.output.class_names, "max_latency_ms": track.budgets.max_latency_ms}


def _print(screen: Screen, ending: Ending, log: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(ending.report | {"log": log or None}, indent=2, ensure_ascii=False))
        return
    for line in ending.lines:
        typer.echo(line)
    screen.show(ending.report)
    screen.show_log(log)
