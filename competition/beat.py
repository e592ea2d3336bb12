"""Celery's beat, which adds nothing to a heap of messages that nobody takes from."""

from __future__ import annotations

import logging
from typing import Any, Final

from celery.beat import PersistentScheduler, ScheduleEntry

from competition.celery import app, lying

MOST_LYING: Final = 100
"""So many messages lie in a queue at most because of beat: they are all alike, and one is enough."""

log = logging.getLogger(__name__)


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # Celery has no types
    """Celery's schedule, which leaves a turn out while messages of earlier ones lie there: no worker may run for days.

    Only RabbitMQ drops what has expired by itself.
    """

    def apply_async(
        self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **kwargs: Any
    ) -> Any:
        """Send the entry's message, unless too many lie there."""
        queue = entry.options.get("queue", app.conf.task_default_queue)
        found = lying(queue)
        if found < MOST_LYING:
            return super().apply_async(entry, producer=producer, advance=advance, **kwargs)
        log.warning("turn_left_out", extra={"fields": {"task": entry.task, "queue": queue, "lying": found}})
        return None
