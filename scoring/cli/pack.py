"""`podium pack`: a correct entry from a folder, with what its model downloads."""

from __future__ import annotations

from pathlib import Path

import typer

from scoring.cli.ending import EXIT_OK, EXIT_REJECTED, EXIT_USAGE
from scoring.cli.screen import Screen
from scoring.conversion.gathering import gather, may_download
from scoring.environment import why_not_here
from scoring.errors import Rejected
from scoring.files.archiving import pack as make_entry
from scoring.files.workdirs import own_root, workdir
from scoring.reports import report


def pack(folder: Path, *, output: Path | None, fetch: bool, environment: str) -> int:
    """Write the entry, or print what forbids it; return the exit code."""
    why_not = why_not_here(environment)
    if why_not:
        typer.echo(f"{why_not[0].upper()}{why_not[1:]}.", err=True)
        return EXIT_USAGE
    destination = output or Path(f"{folder.resolve().name}.zip")
    package_format = may_download(folder) if fetch else None
    try:
        if package_format is None:
            make_entry(folder, destination)
        else:
            with workdir(own_root()) as place:
                gathered = gather(folder, package_format, place, but=destination, environment=environment)
                make_entry(gathered.folder, destination)
                _tell(gathered.fetched, gathered.why)
    except Rejected as exc:
        Screen(quiet=False).show(report.rejected(exc, track=""))
        return EXIT_REJECTED
    typer.echo(f"{destination} ({destination.stat().st_size:,} bytes)")
    return EXIT_OK


def _tell(fetched: tuple[tuple[str, str], ...], why: str) -> None:
    for path, source in fetched:
        typer.echo(f"fetched {path} from {source}")
    if why:
        typer.echo(
            f"The model could not be built here, so not all that it downloads may be in the entry: {why}. "
            "`podium check` says what is missing.",
            err=True,
        )
