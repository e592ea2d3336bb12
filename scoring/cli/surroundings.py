"""What a command works with: the track that was named, the sandbox, and its cache."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from scoring.cache.trim import DEFAULT_MAX_BYTES
from scoring.cli.ending import EXIT_USAGE
from scoring.contracts import TrackSpec
from scoring.sandbox import open_sandbox
from scoring.sandbox.base import Sandbox
from scoring.tracks import InvalidTrack, load_track


def load(track: str) -> TrackSpec:
    """Return the track's spec, or leave with every finding in the document."""
    try:
        return load_track(track).spec
    except InvalidTrack as exc:
        for finding in exc.findings:
            typer.echo(f"{track}: {finding}", err=True)
        raise typer.Exit(EXIT_USAGE) from exc


def sandbox(*, trust: bool) -> Sandbox:
    """Return the sandbox, or one without isolation when the user trusts the entry."""
    return open_sandbox("unconfined" if trust else "bubblewrap")


def cache_max_bytes() -> int:
    """Return how large the cache may grow."""
    given = os.environ.get("PODIUM_CACHE_MAX_BYTES", str(DEFAULT_MAX_BYTES))
    if not (given.isascii() and given.isdecimal()):
        raise typer.BadParameter(f"PODIUM_CACHE_MAX_BYTES must be a number of bytes, not “{given}”")
    return int(given)


def cache_folder() -> Path:
    """Return the folder of prepared arrays, made if need be."""
    base = os.environ.get("PODIUM_CACHE") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "podium"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
