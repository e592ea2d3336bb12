"""How the queue does, for the status page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Min, Q, QuerySet, Sum

from competition.submissions.lines import Lane
from competition.submissions.models import Evaluation
from scoring.contracts import Status

DAY: Final = timedelta(days=1)
MOST_WAITS: Final = 5_000
"""Of how many results at most, the last ones, waits are told."""


@dataclass(frozen=True, kw_only=True)
class QueueHealth:
    """What the status page shows of the queue; `lost` ones run under an expired lease."""

    queued: int
    running: int
    lost: int
    oldest_queued_s: float
    ended_last_day: int
    median_wait_s: float | None
    p95_wait_s: float | None


def health(now: datetime) -> QueueHealth:
    """Return how the queue does; waits are from upload to result over the last day."""
    waiting = Lane.objects.filter(waiting__gt=0).aggregate(
        number=Sum("waiting"), oldest=Min("next_queued_at")
    )
    expired = Count("pk", filter=Q(lease_expires_at__lte=now))
    running = Evaluation.objects.filter(status=Status.RUNNING).aggregate(number=Count("pk"), lost=expired)
    waits = _waits_s(now)
    return QueueHealth(
        queued=waiting["number"] or 0,
        running=running["number"] - running["lost"],
        lost=running["lost"],
        oldest_queued_s=_age_s(waiting["oldest"], now),
        ended_last_day=_ended(now).count(),
        median_wait_s=_quantile(waits, 0.5),
        p95_wait_s=_quantile(waits, 0.95),
    )


def _ended(now: datetime) -> QuerySet[Evaluation]:
    return Evaluation.objects.filter(
        status__in=(Status.SCORED, Status.REJECTED),
        priority=Evaluation.Priority.FRESH,
        finished_at__gt=now - DAY,
    ).order_by()


def _age_s(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())


def _waits_s(now: datetime) -> list[float]:
    last = _ended(now).order_by("-finished_at").values_list("submission__created_at", "finished_at")
    return sorted((finished - created).total_seconds() for created, finished in last[:MOST_WAITS] if finished)


def _quantile(ordered: list[float], share: float) -> float | None:
    """Return the smallest value that at least this share of all does not exceed."""
    if not ordered:
        return None
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
