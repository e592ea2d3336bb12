"""Wake workers with a message that has no content. The database says what there is to do."""

from __future__ import annotations

import logging
from typing import Final

from django.db import transaction
from kombu.exceptions import OperationalError

from competition.celery import app

EVALUATE: Final = "podium.evaluate"
EXPIRES_S: Final = 60.0  # a busy worker need not find a day's worth of wake-ups when it is done

log = logging.getLogger(__name__)


def wake_workers(queue: str) -> None:
    """Wake the workers of a hardware class once the transaction has committed."""
    transaction.on_commit(lambda: send_wake_up(queue))


def send_wake_up(queue: str) -> None:
    """Send one wake-up; a broker that is down costs time only, since the sweeper sends another."""
    try:
        app.send_task(EVALUATE, args=(queue,), queue=queue, expires=EXPIRES_S, ignore_result=True)
    except (OperationalError, OSError) as exc:
        log.warning("wake_up_not_sent", extra={"fields": {"queue": queue, "error": type(exc).__name__}})
