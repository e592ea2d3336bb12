"""A worker shows that it is there, and what it is at, whether it evaluates, rests or waits for work."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from django.db import DatabaseError, InterfaceError, connection

from competition.clock import TOLERATED_S, clock_ahead_s, database_now
from competition.submissions import workers
from competition.submissions.models import Worker
from competition.submissions.workers import BEAT_S, Sign
from scoring.worker.breaker import Breaker, Position

log = logging.getLogger(__name__)


def nothing_measured() -> dict[str, Any]:
    """Leave free disk and clock unknown."""
    return {}


@dataclass
class Presence:
    """What the others are shown of this worker: `note` keeps it, `show` writes it.

    Between evaluations Celery has the main thread, so a thread of our own shows the sign regularly.
    """

    sign: Sign
    measure: Callable[[], dict[str, Any]] = nothing_measured
    now: Callable[[], datetime] = database_now
    _breaker: Breaker | None = None
    _writing: Lock = field(default_factory=Lock)
    _ended: Event = field(default_factory=Event)

    def note(self, **fields: Any) -> None:
        """Keep something for the next sign of life."""
        self.sign = replace(self.sign, **fields)

    def note_rest(self, breaker: Breaker) -> None:
        """Show whether the worker rests, why, and how long still."""
        self._breaker = breaker
        self.show()

    def show(self) -> None:
        """Write the sign of life; a database that is away does not stop the worker."""
        try:
            self.write()
        except (DatabaseError, InterfaceError) as exc:
            log.warning("worker_not_shown", extra={"fields": {"error": type(exc).__name__}})
            connection.close()

    def write(self) -> None:
        """Write the sign of life, or raise what keeps it from being written."""
        with self._writing:
            now, known = self.now(), _differs(self.sign)
            self.note(started_at=self.sign.started_at or now, **self._resting(now), **self.measure())
            if _differs(self.sign) and not known:
                log.warning("clock_differs", extra={"fields": {"ahead_s": self.sign.clock_ahead_s}})
            workers.show(self.sign, now=now)

    def start(self) -> Thread:
        """Show the sign now and regularly from a thread, until `end`."""
        thread = Thread(target=self._beat, name="presence", daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        """Say that the worker is gone."""
        self._ended.set()
        self.note(state=Worker.State.STOPPED, evaluation_id=None)
        self.show()

    def _resting(self, now: datetime) -> dict[str, Any]:
        """Return the breaker's times by the database's clock, which may have been away when it opened."""
        breaker = self._breaker
        if self.sign.state == Worker.State.STOPPED or breaker is None:
            return {}
        if breaker.position is not Position.OPEN:
            return {"state": Worker.State.SERVING, "rest_cause": "", "rests_since": None, "next_try_at": None}
        elapsed = breaker.clock()
        return {
            "state": Worker.State.RESTING,
            "rest_cause": breaker.cause.value,
            "rests_since": now - timedelta(seconds=elapsed - breaker.opened_at),
            "next_try_at": now + timedelta(seconds=breaker.next_try_at - elapsed),
        }

    def _beat(self) -> None:
        self.show()
        while not self._ended.wait(BEAT_S):
            self.show()
        connection.close()  # each thread has a connection of its own


def measured_at(folder: Path) -> dict[str, Any]:
    """Return the free bytes of the disk below `folder`, and how far the clock is ahead of the database's."""
    return {"clock_ahead_s": clock_ahead_s(), "free_bytes": _free_bytes(folder)}


def _differs(sign: Sign) -> bool:
    return abs(sign.clock_ahead_s or 0.0) > TOLERATED_S


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
