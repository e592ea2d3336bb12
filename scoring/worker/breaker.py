"""The circuit breaker of a worker: after a fault it rests, each time longer, until something succeeds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scoring.errors import Cause

FIRST_S: Final = 5.0
LONGEST_S: Final = 300.0
LONGEST_SHARED_S: Final = 30.0
"""Trouble that all entries share ends for all at once: whoever rests is back within a minute of it."""
JITTER: Final = 0.2
"""By how much a pause is longer or shorter than its turn: many workers do not come back in one moment."""


class Position(StrEnum):
    """Closed: work goes on. Open: nothing is claimed. Half open: one evaluation shows whether it works again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass
class Breaker:
    """Counts faults in a row; `chance` returns a number from 0 to 1."""

    clock: Callable[[], float]
    chance: Callable[[], float] = random.random
    cause: Cause = Cause.UNKNOWN
    opened_at: float = 0.0
    next_try_at: float = 0.0
    _faults: int = 0

    @property
    def position(self) -> Position:
        """Return where the breaker stands now."""
        if not self._faults:
            return Position.CLOSED
        return Position.OPEN if self.clock() < self.next_try_at else Position.HALF_OPEN

    def trip(self, cause: Cause) -> None:
        """Open, or open again for longer."""
        now = self.clock()
        if not self._faults:
            self.opened_at = now
        self._faults += 1
        self.cause = cause
        longest_s = LONGEST_S if cause.counts else LONGEST_SHARED_S
        pause_s = min(FIRST_S * 2 ** min(self._faults - 1, 16), longest_s)
        self.next_try_at = now + pause_s * (1 - JITTER + 2 * JITTER * self.chance())

    def close(self) -> None:
        """Work goes on, and the next pause is a short one."""
        self._faults = 0
