"""The order of the queue as a pure function of all that waits: what the rows of lines and lanes must come to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, zip_longest
from typing import Final, TypeVar

NEVER: Final = datetime.min.replace(tzinfo=UTC)

Group = TypeVar("Group", bound=Hashable)
Line = tuple[int, int]
"""A track and a participant: who waits in one line."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An evaluation that waits for a worker."""

    evaluation: int
    track: int
    participant: int
    priority: int
    queued_at: datetime

    @property
    def line(self) -> Line:
        """The line that it waits in."""
        return self.track, self.participant


@dataclass(frozen=True, kw_only=True)
class Served:
    """When tracks and lines were last served."""

    tracks: Mapping[int, datetime]
    lines: Mapping[Line, datetime]


def in_order(waiting: Iterable[Waiting], served: Served) -> list[Waiting]:
    """Return who is served after whom, if nobody else comes."""
    by_age = sorted(waiting, key=lambda w: (w.priority, w.queued_at, w.evaluation))
    order: list[Waiting] = []
    for _, rows in groupby(by_age, key=lambda w: w.priority):
        lines_took_turns = take_turns(rows, by=lambda w: w.line, served=served.lines)
        order += take_turns(lines_took_turns, by=lambda w: w.track, served=served.tracks)
    return order


def take_turns(
    waiting: Iterable[Waiting], *, by: Callable[[Waiting], Group], served: Mapping[Group, datetime]
) -> list[Waiting]:
    """Let groups take turns, the one served longest ago first; each keeps its own order."""
    groups: dict[Group, list[Waiting]] = {}
    for row in waiting:
        groups.setdefault(by(row), []).append(row)
    turns = sorted(groups, key=lambda group: served.get(group, NEVER))
    rounds = zip_longest(*(groups[group] for group in turns))
    return [row for one_round in rounds for row in one_round if row is not None]
