"""`podium check`: what the worker does before hidden data."""

from __future__ import annotations

from pathlib import Path

from scoring.cli.ending import Ending, Printing, ending_of, run_and_print
from scoring.cli.screen import Screen
from scoring.cli.surroundings import sandbox
from scoring.contracts import TrackSpec


def check(path: Path, track: TrackSpec, *, trust: bool, printing: Printing) -> int:
    """Check the entry and print the report; return the exit code."""

    def flow(screen: Screen, workdir: Path) -> Ending:
        from scoring.flow import pipeline

        report = pipeline.check(path, track, sandbox=sandbox(trust=trust), workdir=workdir, note=screen.note)
        return ending_of(report, track)

    return run_and_print(flow, track, printing=printing)
