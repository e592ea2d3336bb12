"""`podium describe`: what belongs into a model folder's info.yaml, as the sandbox measured it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import typer
import yaml

from scoring.cli.ending import EXIT_FAULT, EXIT_OK, EXIT_REJECTED
from scoring.cli.screen import Screen
from scoring.contracts import ScoreReport, TrackSpec
from scoring.errors import Fault, Rejected
from scoring.files.workdirs import own_root, workdir
from scoring.flow import pipeline
from scoring.reports import report
from scoring.sandbox.base import Sandbox

BYTES_A_FLOAT = 4


def describe(path: Path, track: TrackSpec, *, sandbox: Sandbox) -> int:
    """Measure the entry and print its technical details alone on stdout; return the exit code."""
    # What is printed is of the float model: nothing has to be exported for it.
    in_float = replace(track, quantisation=None)
    with Screen(quiet=False) as screen:
        try:
            with workdir(own_root()) as folder:
                measured = pipeline.check(path, in_float, sandbox=sandbox, workdir=folder, note=screen.note)
        except Rejected as exc:
            screen.show(report.rejected(exc, track=track.slug))
            return EXIT_REJECTED
        except Fault as exc:
            screen.show(report.fault(exc, track=track.slug))
            return EXIT_FAULT
    typer.echo(technical_details(measured, track), nl=False)
    return EXIT_OK


def technical_details(measured: ScoreReport, track: TrackSpec) -> str:
    """Return the measured half of info.yaml as YAML: resolution, parameters, size and MACs."""
    usage = measured.usage
    sides = [side for side in track.input.shape[-2:] if side is not None]
    details: dict[str, Any] = {
        "Number of parameters": in_millions(usage.parameters),
        "Model size (float)": in_megabytes(usage.parameters * BYTES_A_FLOAT),
        "Number of MACs": in_millions(usage.macs),
    }
    if len(sides) == 2:
        details = {"Input resolution": "x".join(map(str, sides)), **details}
    return yaml.safe_dump({"technical_details": details}, sort_keys=False)


def in_millions(count: int) -> str:
    """Return a count in thousands, millions or thousands of millions, with three digits that count."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def in_megabytes(count: int) -> str:
    """Return bytes in units of 1,024, as info.yaml files do."""
    for unit, size in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"
