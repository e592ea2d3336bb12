"""What makes lost messages and lost workers harmless: look at the rows, wake whoever has work."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from competition.leaderboard import rankings, summing_up, yesterday
from competition.submissions import lifecycle, queue, rescoring, wakeup, workers

LOST_FOR: Final = timedelta(minutes=10)
"""Who asks for work takes back what a lost worker left; the sweep does if nobody asks for so long."""

log = logging.getLogger(__name__)


def sweep(now: datetime) -> tuple[str, ...]:
    """End what was abandoned for the last time, forget workers long gone, wake every queue with work, care for boards.

    Returns those queues. A board waits only where somebody was killed before they ranked it.
    """
    for evaluation in lifecycle.take_back_abandoned(now=now, lost_for=LOST_FOR):
        log.error("abandoned", extra={"fields": {"evaluation": evaluation}})
    while lifecycle.take_in():  # what a release without lines left
        pass
    workers.forget_gone(now)
    queues = tuple(sorted(queue.queues_with_work(now)))
    for name in queues:
        wakeup.send_wake_up(name)
    rankings.sweep()
    yesterday.sweep(now)
    summing_up.sweep(now)
    rescoring.show_all_finished()
    return queues
