"""The sign of life that a worker gives while it works, and the moment when it learns to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from scoring.contracts import Stage
from scoring.worker.ports import Ports, Work

RENEWALS_PER_LEASE: Final = 4
CHECK_S: Final = 2.0


class Heartbeat:
    """Called many times a second; writes to the database a few times a minute.

    A stage that begins is noted at once. Otherwise the lease is renewed when a quarter of it has
    passed, and read every two seconds, so that a cancelled run stops soon. `stop` is called each
    time and may raise, when the worker was told to shut down.
    """

    def __init__(
        self,
        work: Work,
        ports: Ports,
        *,
        lease_s: float,
        clock: Callable[[], float],
        stop: Callable[[], None],
    ) -> None:
        self._work = work
        self._ports = ports
        self._renew_s = lease_s / RENEWALS_PER_LEASE
        self._clock = clock
        self._stop = stop
        self._stage: Stage | None = None
        self._renewed = self._checked = clock()

    def note(self, stage: Stage) -> None:
        """Show that the stage is on; raise LeaseLost or CancelRequested if work is to stop."""
        if stage is self._stage:
            self.tick()
            return
        self._stop()
        self._stage = stage
        self._renewed = self._checked = self._clock()
        self._ports.note_stage(self._work, stage)

    def tick(self) -> None:
        """Show that the worker lives; raise as `note`."""
        self._stop()
        now = self._clock()
        if now - self._renewed >= self._renew_s:
            self._renewed = self._checked = now
            self._ports.renew(self._work)
        elif now - self._checked >= CHECK_S:
            self._checked = now
            self._ports.check(self._work)
