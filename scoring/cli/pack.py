"""`podium pack`: a correct entry from a folder."""

from __future__ import annotations

from pathlib import Path

import typer

from scoring.cli.ending import EXIT_OK, EXIT_REJECTED
from scoring.cli.screen import Screen
from scoring.errors import Rejected
from scoring.files.archiving import pack as make_entry
from scoring.reports import report


def pack(folder: Path, *, output: Path | None) -> int:
    """Write the entry, or print what forbids it; return the exit code."""
    destination = output or Path(f"{folder.resolve().name}.zip")
    try:
        make_entry(folder, destination)
    except Rejected as exc:
        Screen(quiet=False).show(report.rejected(exc, track=""))
        return EXIT_REJECTED
    typer.echo(f"{destination} ({destination.stat().st_size:,} bytes)")
    return EXIT_OK
