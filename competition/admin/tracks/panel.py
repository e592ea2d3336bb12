"""The panel above a track's form: its state, its checks and its differences from the benchmark."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from competition.clock import database_now
from competition.tracks import services
from competition.tracks.differences import BINDS_WORKERS
from competition.tracks.models import Track
from competition.tracks.readiness import examine


def state(track: Track, now: datetime) -> str:
    """Say in words whether the track takes submissions now."""
    if not track.is_open:
        return "closed"
    if track.is_closed(now):
        return "open, window over"
    return "open" if track.is_taking_submissions(now) else "open, window not started"


def panel(track: Track, *, may_change: bool) -> dict[str, Any]:
    """Return the panel above a track's form: its state, its checks and its differences."""
    checks = examine(track)
    return {
        "track": track,
        "may_change": may_change,
        "state": state(track, database_now()),
        "checks": checks,
        "ready": all(check.ok for check in checks),
        "unpublished": services.unpublished_in_words(track),
        "waits_for_packages": any(change.aspect in BINDS_WORKERS for change in services.unpublished(track)),
    }
