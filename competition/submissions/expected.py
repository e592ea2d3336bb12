"""When what waits is expected to start: its place, at the pace at which its hardware class began others lately."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache

from competition.submissions.models import Evaluation
from competition.submissions.places import Place

LATELY: Final = timedelta(hours=1)
MOST_COUNTED: Final = 5_000
"""Of more in an hour the newest are counted, and the time that they took."""
KEPT_FOR_S: Final = 10
NEAR: Final = 10
FAR: Final = 1_000


def expected_wait_s(evaluation: Evaluation, place: Place | None, now: datetime) -> float | None:
    """Return how long it is expected to wait; None if it does not wait, or nothing has started lately."""
    if place is None:
        return None
    pace = _started_a_second(evaluation.submission.track.queue, now)
    return place.number / pace if pace else None


def poll_after_s(place: Place | None) -> int:
    """Return after how long a page should ask again: seldom while the place is far from the front."""
    if place is None or place.number <= NEAR:
        return 2
    return 10 if place.number <= FAR else 30


def _started_a_second(queue: str, now: datetime) -> float:
    name = f"queue-pace:{queue}"
    kept: float | None = cache.get(name)
    if kept is None:
        kept = _counted(queue, now)
        cache.set(name, kept, KEPT_FOR_S)
    return kept


def _counted(queue: str, now: datetime) -> float:
    lately = Evaluation.objects.filter(
        started_at__gt=now - LATELY, started_at__lte=now, benchmark__track__queue=queue
    )
    starts = list(lately.order_by("-started_at").values_list("started_at", flat=True)[:MOST_COUNTED])
    if not starts:
        return 0.0
    first = starts[-1] if len(starts) == MOST_COUNTED else None
    span = now - first if first else LATELY
    return len(starts) / max(1.0, span.total_seconds())
