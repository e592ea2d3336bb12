"""A worker claims only while it is fit, and rests after a fault of its own; the entries wait for others, or for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from scoring.errors import Cause
from scoring.worker.breaker import Breaker, Position
from scoring.worker.causes import cause_of
from scoring.worker.fitness import Unfit

TRUSTED_S: Final = 15.0
"""How long a worker that was found fit is thought to be, as long as nothing fails."""
STEP_S: Final = 1.0
"""While it rests, a worker looks so often whether it is to stop."""

log = logging.getLogger(__name__)


def always_fit() -> Unfit | None:
    """Find nothing wrong."""
    return None


def show_nothing(breaker: Breaker) -> None:
    """Tell nobody."""


def never_stop() -> None:
    """Go on, always."""


@dataclass
class Rest:
    """Decides when a worker may claim.

    `examine` makes the tests, `show` tells the others where the breaker stands, `stop` may raise to end the worker,
    and `wait` lets time pass on the breaker's clock.
    """

    breaker: Breaker = field(default_factory=lambda: Breaker(clock=time.monotonic))
    examine: Callable[[], Unfit | None] = always_fit
    show: Callable[[Breaker], None] = show_nothing
    stop: Callable[[], None] = never_stop
    wait: Callable[[float], None] = time.sleep
    _trusted_until: float = float("-inf")

    def until_fit(self) -> None:
        """Return when this worker may claim: its pause is over, and every test passes."""
        while not self._is_fit():
            self._pass_the_pause()

    def after(self, cause: Cause) -> None:
        """Rest before the next claim."""
        self._trusted_until = float("-inf")
        self.breaker.trip(cause)
        pause_s = round(self.breaker.next_try_at - self.breaker.clock(), 1)
        log.warning("resting", extra={"fields": {"cause": cause.value, "pause_s": pause_s}})
        self.show(self.breaker)

    def over(self) -> None:
        """Something succeeded: work goes on."""
        if self.breaker.position is not Position.CLOSED:
            self.breaker.close()
            log.info("working_again")
            self.show(self.breaker)

    def cause_of(self, error: Exception) -> Cause:
        """Return what failed; where the error does not tell, what the tests find.

        A sandbox that did not start for one entry, while another starts, may be that entry's doing.
        """
        cause = cause_of(error)
        if cause not in (Cause.UNKNOWN, Cause.SANDBOX):
            return cause
        found = self.examine()
        return found.cause if found else Cause.UNKNOWN

    def _is_fit(self) -> bool:
        if self.breaker.position is Position.OPEN:
            return False
        now = self.breaker.clock()
        if now < self._trusted_until:
            return True
        found = self.examine()
        if found:
            log.warning("unfit", extra={"fields": {"cause": found.cause.value, "why": found.why}})
            self.after(found.cause)
            return False
        self._trusted_until = now + TRUSTED_S
        if self.breaker.position is Position.HALF_OPEN:
            self.show(self.breaker)
        return True

    def _pass_the_pause(self) -> None:
        while (left_s := self.breaker.next_try_at - self.breaker.clock()) > 0:
            self.stop()
            self.wait(min(STEP_S, left_s))
