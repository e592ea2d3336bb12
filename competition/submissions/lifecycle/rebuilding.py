"""Proves that lines and lanes say what evaluations say, and mends what does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from competition.submissions.lifecycle.waiting import (
    ALIVE,
    BATCH,
    batches,
    hold_line,
    lock_lines,
    refresh,
    strays,
    take_in,
    truth_of_lanes,
)
from competition.submissions.lines import NEVER, Lane, Line
from competition.submissions.models import Evaluation

Served = dict[tuple[int, int], datetime]


@dataclass(frozen=True, kw_only=True)
class QueueDrift:
    """How many evaluations are in no lane or a wrong one, and how many lanes and lines say something wrong."""

    misplaced: int
    lanes: int
    lines: int

    def __bool__(self) -> bool:
        return bool(self.misplaced or self.lanes or self.lines)


def examine_queue() -> QueueDrift:
    """Return what is wrong, changing nothing."""
    return QueueDrift(
        misplaced=strays().count() + _misplaced().count(),
        lanes=_wrong_lanes().count(),
        lines=len(_wrong_lines()),
    )


def rebuild_queue() -> QueueDrift:
    """Mend what is wrong, and return what was; others may go on meanwhile."""
    found = examine_queue()
    for evaluation in list(_misplaced().values_list("pk", flat=True)):
        _replace(evaluation)
    _mend_lines(_wrong_lines())
    while take_in():
        pass
    for lines in batches(sorted(set(_wrong_lanes().values_list("line", flat=True)))):
        _mend(lines)
    return found


@transaction.atomic
def _replace(evaluation: int) -> None:
    hold_line(evaluation)
    Evaluation.objects.filter(pk=evaluation).update(lane=None)


def _mend_lines(wrong: Served) -> None:
    lines = [
        Line(track_id=track, participant_id=participant, served_at=served_at)
        for (track, participant), served_at in wrong.items()
    ]
    Line.objects.bulk_create(
        lines,
        BATCH,
        update_conflicts=True,
        unique_fields=["track", "participant"],
        update_fields=["served_at"],
    )


@transaction.atomic
def _mend(lines: Sequence[int]) -> None:
    lock_lines(lines)
    refresh(list(Lane.objects.filter(line__in=lines).values_list("pk", flat=True)), ())


def _misplaced() -> QuerySet[Evaluation]:
    right = Q(
        lane__benchmark=F("benchmark"),
        lane__priority=F("priority"),
        lane__line__track=F("submission__track"),
        lane__line__participant=F("submission__participant"),
    )
    return Evaluation.objects.filter(~right, status__in=ALIVE, lane__isnull=False).order_by("pk")


def _wrong_lanes() -> QuerySet[Lane]:
    truth = truth_of_lanes()
    rows = Lane.objects.annotate(**{f"true_{name}": value for name, value in truth.items()}).order_by()
    differs = Q()
    for name in truth:
        differs |= ~Q(**{name: F(f"true_{name}")})
    return rows.filter(~Q(waiting=F("true_waiting")) | (Q(waiting__gt=0) & differs))


def _wrong_lines() -> Served:
    """Return when tracks last served participants, where lines say something else or are missing."""
    line = ("submission__track", "submission__participant")
    begun = Evaluation.objects.filter(started_at__isnull=False).order_by()
    last = begun.values_list(*line).annotate(last=Max("started_at"))
    true: Served = {(track, who): moment for track, who, moment in last.iterator()}
    rows = Line.objects.values_list("track", "participant", "served_at").iterator()
    told: Served = {(track, who): moment for track, who, moment in rows}
    return {
        each: true.get(each, NEVER)
        for each in true.keys() | told.keys()
        if true.get(each, NEVER) != told.get(each, NEVER)
    }
