"""When a competition opens, closes and tells its results: read from its tracks, its milestones and its own date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from competition.tracks.models import Competition, Milestone, Track


class Phase(StrEnum):
    """Where a competition stands as a whole."""

    PREPARING = "preparing"
    UPCOMING = "upcoming"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Window:
    """From the first opening of its tracks to the last closing; None where that is not said, or never."""

    phase: Phase
    opens_at: datetime | None
    closes_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Event:
    """A date of the calendar."""

    name: str
    at: datetime
    is_past: bool


def window_of(tracks: Sequence[Track], now: datetime) -> Window:
    """Return the window of a competition's tracks, those alone that anybody may see."""
    shown = [track for track in tracks if track.is_open]
    opening = [track.opens_at for track in shown]
    closing = [track.closes_at for track in shown]
    return Window(
        phase=_phase(shown, now),
        opens_at=None if None in opening else min(filter(None, opening), default=None),
        closes_at=None if None in closing else max(filter(None, closing), default=None),
    )


def calendar_of(
    competition: Competition, window: Window, milestones: Iterable[Milestone], now: datetime
) -> list[Event]:
    """Return a competition's dates in their order."""
    dated = [
        ("Opens", window.opens_at),
        *((milestone.name, milestone.at) for milestone in milestones),
        ("Closes", window.closes_at),
        ("Results", competition.results_at),
    ]
    events = [Event(name=name, at=at, is_past=at <= now) for name, at in dated if at is not None]
    return sorted(events, key=lambda event: event.at)


def _phase(shown: Sequence[Track], now: datetime) -> Phase:
    if not shown:
        return Phase.PREPARING
    if any(track.is_taking_submissions(now) for track in shown):
        return Phase.RUNNING
    return Phase.ENDED if all(track.is_closed(now) for track in shown) else Phase.UPCOMING
