"""Keeps the ranks with which a day begins, so that a board can tell who has risen since.

The sweep does it once a day and board, for the first time after midnight in UTC, in parts: nobody who ranks or reads a
large board waits for more than one of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from competition.leaderboard.models import BoardRow, Ranking

ROWS_AT_ONCE: Final = 20_000


def sweep(now: datetime) -> None:
    """Keep the ranks of every board that has not kept those of today."""
    today = now.astimezone(UTC).date()
    Ranking.objects.filter(kept_on=None).update(kept_on=today)  # a board that began today has no yesterday
    for ranking in Ranking.objects.exclude(kept_on=today):
        keep(ranking, now)


def keep(ranking: Ranking, now: datetime) -> None:
    """Keep the ranks of a board as they are."""
    same = Q(rank_before=F("rank")) | Q(rank_before__isnull=True, rank__isnull=True)
    for start in range(0, ranking.participants, ROWS_AT_ONCE):
        with transaction.atomic():
            Ranking.objects.select_for_update(no_key=True).get(pk=ranking.pk)
            part = BoardRow.objects.filter(
                ranking=ranking, position__gt=start, position__lte=start + ROWS_AT_ONCE
            )
            part.exclude(same).update(rank_before=F("rank"))
    Ranking.objects.filter(pk=ranking.pk).update(kept_on=now.astimezone(UTC).date())
