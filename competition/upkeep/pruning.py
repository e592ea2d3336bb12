"""Old logs, reports and entry files removed by their age; boards, scores, digests and the audit trail stay.

Everything is removed in batches, each with a transaction of its own, and looks for what is left to do: what was cut
short is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Length

from competition.leaderboard.models import BoardRow, Standing
from competition.submissions.models import FINAL, Evaluation, Submission
from competition.tracks.models import Track

BATCH: Final = 500
KEPT_OF_REPORTS: Final = ("format", "samples", "isolated", "quantised")
"""What scores cannot be read without; it is a few bytes."""
PRUNED: Final = "pruned"
"""The key of a report that says that the rest of it is gone."""


class Kind(StrEnum):
    """What can be pruned."""

    LOGS = "logs"
    REPORTS = "reports"
    ENTRIES = "entries"


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What pruning reaches: what ended before a time. Entries on boards, or of open tracks, only if asked."""

    before: datetime
    now: datetime
    on_boards: bool = False
    of_open_tracks: bool = False


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How many there are, and what they take: bytes of files, characters of texts."""

    number: int
    size: int


def amount(kind: Kind, reach: Reach) -> Amount:
    """Return what pruning would remove now."""
    rows, size = _ROWS[kind]
    found = rows(reach).aggregate(number=Count("pk"), size=Sum(size))
    return Amount(number=found["number"], size=found["size"] or 0)


def prune(kind: Kind, reach: Reach) -> Iterator[int]:
    """Remove it; yield after each batch how many it removed."""
    return _PRUNERS[kind](reach)


# --- which -----------------------------------------------------------------------------------------


def _logs(reach: Reach) -> QuerySet[Evaluation]:
    """Return old evaluations with a log, or with a traceback of ours."""
    return _ended(reach).exclude(log="", fault="")


def _reports(reach: Reach) -> QuerySet[Evaluation]:
    return _ended(reach).filter(report__isnull=False).exclude(report__has_key=PRUNED)


def _ended(reach: Reach) -> QuerySet[Evaluation]:
    return Evaluation.objects.filter(status__in=FINAL, finished_at__lt=reach.before).order_by()


def _entries(reach: Reach) -> QuerySet[Submission]:
    """Return old submissions whose file is there and that nothing is going to read."""
    evaluations = Evaluation.objects.filter(submission=OuterRef("pk"))
    young = evaluations.exclude(status__in=FINAL, finished_at__lt=reach.before)
    rows = Submission.objects.filter(created_at__lt=reach.before).exclude(entry="").exclude(Exists(young))
    if not reach.of_open_tracks:
        rows = rows.filter(track__closes_at__lte=reach.now)
    if not reach.on_boards:
        for board in (Standing, BoardRow):
            rows = rows.exclude(Exists(board.objects.filter(evaluation__submission=OuterRef("pk"))))
    return rows.order_by()


_ROWS: Final[Mapping[Kind, tuple[Callable[[Reach], QuerySet[Any]], Any]]] = {
    Kind.LOGS: (_logs, Length("log") + Length("fault")),
    Kind.REPORTS: (_reports, Length(Cast("report", TextField()))),
    Kind.ENTRIES: (_entries, "entry_bytes"),
}

# --- how -------------------------------------------------------------------------------------------


def _prune_logs(reach: Reach) -> Iterator[int]:
    for keys in _batches(_logs(reach)):
        yield Evaluation.objects.filter(pk__in=keys).update(log="", fault="")


def _prune_reports(reach: Reach) -> Iterator[int]:
    for keys in _batches(_reports(reach)):
        rows = list(Evaluation.objects.filter(pk__in=keys).only("report"))
        for row in rows:
            report = row.report or {}
            kept = {name: report[name] for name in KEPT_OF_REPORTS if name in report}
            row.report = {**kept, PRUNED: True}
        yield Evaluation.objects.bulk_update(rows, ["report"])


def _prune_entries(reach: Reach) -> Iterator[int]:
    for track in Track.objects.all():
        for keys in _batches(_entries(reach).filter(track=track)):
            yield _remove_files(track, keys, reach)


def _remove_files(track: Track, keys: list[UUID], reach: Reach) -> int:
    with transaction.atomic():
        # Who publishes a version holds it as well, and would queue what has no file any more.
        Track.objects.select_for_update(no_key=True).get(pk=track.pk)
        names = dict(_entries(reach).filter(pk__in=keys).values_list("pk", "entry"))
        Submission.objects.filter(pk__in=names).update(entry="")
    # The row first: a file that no row names is removed by the sweep, whatever happens here.
    for name in names.values():
        default_storage.delete(name)
    return len(names)


_PRUNERS: Final[Mapping[Kind, Callable[[Reach], Iterator[int]]]] = {
    Kind.LOGS: _prune_logs,
    Kind.REPORTS: _prune_reports,
    Kind.ENTRIES: _prune_entries,
}


def _batches(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield the keys of the rows in their order, so many at a time; what is done meanwhile is not asked for again."""
    after = Q()
    while keys := list(rows.filter(after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield keys
        after = Q(pk__gt=keys[-1])
