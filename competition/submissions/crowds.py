"""Who is before whom, told from how many lines hold how many entries instead of from every entry.

A round serves each line once, so who is n-th in a line comes after n - 1 whole rounds. Tracks take turns in the
same way with what their lines give them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

Key = tuple[datetime, datetime, int]
"""When a line was last served, and since when its first entry waits, and that entry: lines go by this order."""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """All that waits on a track at one priority.

    `depths` says how many lines hold so many entries. `lines` are these lines in their order, each with its depth;
    of a large crowd, lines at even distances. Of one that `is_paused` nothing is begun.
    """

    served_at: datetime
    depths: Mapping[int, int]
    lines: Sequence[tuple[Key, int]]
    is_paused: bool = False

    @property
    def waiting(self) -> int:
        """Return how many entries wait."""
        return sum(depth * number for depth, number in self.depths.items())

    @property
    def turn(self) -> tuple[datetime, Key]:
        """Return what decides the track's turn among others: its last service, then its first line."""
        return self.served_at, self.lines[0][0]

    def before(self, key: Key, rounds: int) -> int:
        """Return how many entries of the crowd come before one whose line has a key, after so many rounds of it."""
        return self._in(rounds) + self._ahead(key, rounds)

    def _in(self, rounds: int) -> int:
        return sum(min(depth, rounds) * number for depth, number in self.depths.items())

    def _ahead(self, key: Key, rounds: int) -> int:
        there = [each for each, depth in self.lines if depth > rounds]
        deep = sum(number for depth, number in self.depths.items() if depth > rounds)
        return round(deep * sum(each < key for each in there) / len(there)) if there else 0


def place(mine: Crowd, before: int, *, others: Sequence[Crowd], more_urgent: Sequence[Crowd]) -> int:
    """Return the place in the queue, 1 being next, of an entry that so many of its own crowd come before.

    `others` wait on other tracks at the same priority.
    """
    in_turn = sum(min(each.waiting, before + (each.turn < mine.turn)) for each in others)
    return 1 + before + in_turn + sum(each.waiting for each in more_urgent)
