"""Wake workers with a message that has no content. The database says what there is to do."""

from __future__ import annotations

import logging
from typing import Final

from django.db import transaction
from kombu.exceptions import OperationalError

from competition.celery import app, lying
from competition.clock import database_now
from competition.submissions import workers

EVALUATE: Final = "podium.evaluate"
EXPIRES_S: Final = 60.0  # a busy worker need not find a day's worth of wake-ups when it is done

log = logging.getLogger(__name__)


def wake_workers(queue: str) -> None:
    """Wake the workers of a hardware class once the transaction has committed."""
    transaction.on_commit(lambda: send_wake_up(queue))


def send_wake_up(queue: str) -> None:
    """Send a wake-up unless one lies there for each free worker; tell operators if nobody would take it.

    A broker that is down costs time only, since the sweeper sends another.
    """
    now = database_now()
    service = workers.service(queue, now)
    if not service.is_served:
        seen_at = service.seen_at.isoformat() if service.seen_at else None
        log.error("queue_unserved", extra={"fields": {"queue": queue, "since": seen_at}})
    try:
        if lying(queue) < max(1, workers.free(queue, now)):
            # Both: RabbitMQ drops what has expired by itself, for other brokers the worker does.
            lasting = {"expires": EXPIRES_S, "expiration": EXPIRES_S}
            app.send_task(EVALUATE, args=(queue,), queue=queue, ignore_result=True, **lasting)
    except (OperationalError, OSError) as exc:
        log.warning("wake_up_not_sent", extra={"fields": {"queue": queue, "error": type(exc).__name__}})
