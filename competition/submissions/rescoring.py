"""Every submission comes onto its track's current benchmark version: published, uploaded meanwhile, or forgotten.

Nobody waits for anybody here. Publishing first makes a version current and then, in transactions of their
own, queues what it finds; whoever uploads looks once more at what is current when the upload has been
committed. An upload that publishing does not find is therefore one that finds the new version, and what a
killed process left undone, the sweep finds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from competition.clock import database_now
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation, Submission
from competition.submissions.quarantined import quarantined
from competition.submissions.wakeup import wake_workers
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import Status

BATCH: Final = 200
UNFINISHED: Final = Q(status__in=(Status.QUEUED, Status.RUNNING)) & ~Q(quarantined())
"""No board waits for what is in quarantine."""

log = logging.getLogger(__name__)


def wanted(track: Track) -> QuerySet[Submission]:
    """Return the submissions that each version of the track scores.

    Those whose last evaluation was cancelled are not among them, nor those whose file was pruned.
    """
    evaluations = Evaluation.objects.filter(submission=OuterRef("pk"))
    last_status = Subquery(evaluations.order_by("-benchmark__number").values("status")[:1])
    has_none = Q(last_status__isnull=True)
    rows = Submission.objects.filter(track=track).exclude(entry="").alias(last_status=last_status)
    return rows.filter(has_none | ~Q(last_status=Status.CANCELLED))


def left_out(track: Track) -> QuerySet[Submission]:
    """Return those of them that have no evaluation on the track's current version."""
    on_it = Evaluation.objects.filter(submission=OuterRef("pk"), benchmark=track.benchmark_id)
    return wanted(track).filter(~Exists(on_it))


def rescore_track(*, track: Track, now: datetime | None = None) -> int:
    """Queue every submission that is left out on the track's current version; return how many.

    What still waits on an older version moves over and keeps its priority and its place.
    """
    now = now or database_now()
    queued, after = 0, None
    while batch := _queue_some(track.pk, now, after):
        queued, after = queued + len(batch), batch[-1]
    return queued


def catch_up(now: datetime) -> int:
    """Do the same on all tracks, for what a killed process left undone; return how many were queued."""
    queued = 0
    for track in Track.objects.filter(benchmark__isnull=False):
        late = rescore_track(track=track, now=now)
        if late:
            log.warning("queued_late", extra={"fields": {"track": track.slug, "submissions": late}})
        queued += late
    return queued


@dataclass(frozen=True, kw_only=True)
class Rescoring:
    """How far a track's submissions are scored again."""

    done: int
    total: int


def progress(track: Track) -> Rescoring | None:
    """Return how far it is while the board of an earlier version is shown; otherwise nothing."""
    if track.shown_id is None:
        return None
    again = Evaluation.objects.filter(benchmark=track.benchmark_id, priority=Evaluation.Priority.RESCORE)
    counted = again.aggregate(total=Count("pk"), left=Count("pk", filter=UNFINISHED))
    return Rescoring(done=counted["total"] - counted["left"], total=counted["total"])


def show_finished(track: Track) -> bool:
    """Show the current version's board if nothing of it is still to be scored again; say whether it is now shown."""
    again = Evaluation.objects.filter(benchmark=OuterRef("benchmark"), priority=Evaluation.Priority.RESCORE)
    whole = Track.objects.filter(pk=track.pk, shown__isnull=False).exclude(Exists(again.filter(UNFINISHED)))
    return bool(whole.update(shown=None))


def show_now(track: Track) -> bool:
    """Show the current version's board as far as it is; say whether another one was shown."""
    return bool(Track.objects.filter(pk=track.pk, shown__isnull=False).update(shown=None))


def show_all_finished() -> None:
    """Show every board that is whole by now."""
    for track in Track.objects.filter(shown__isnull=False):
        show_finished(track)


def follow_publication(submission: Submission, now: datetime) -> None:
    """Queue a submission again if another version became current before it was committed."""
    track = Track.objects.get(pk=submission.track_id)
    if not submission.evaluations.filter(benchmark=track.benchmark_id).exists():
        _queue_some(track.pk, now, only=submission.pk)


@transaction.atomic
def _queue_some(
    track_id: int, now: datetime, after: UUID | None = None, only: UUID | None = None
) -> list[UUID]:
    """Queue the next submissions that are left out, in the order of their ids; return these."""
    # Of several who rescore one waits for the other, or both would queue the same submission.
    track = Track.objects.select_for_update(no_key=True).get(pk=track_id)
    if track.benchmark is None:
        return []
    submissions = left_out(track).order_by("pk")
    if after is not None:
        submissions = submissions.filter(pk__gt=after)
    if only is not None:
        submissions = submissions.filter(pk=only)
    chosen = list(submissions[:BATCH])
    _queue(chosen, track.benchmark, now)
    if chosen:
        wake_workers(track.queue)
    return [submission.pk for submission in chosen]


def _queue(submissions: list[Submission], benchmark: BenchmarkVersion, now: datetime) -> None:
    rows = Evaluation.objects.filter(submission__in=submissions).order_by("benchmark__number")
    rows = rows.only("submission_id", "status", "priority", "queued_at")  # neither logs nor reports
    last = {row.submission_id: row for row in rows}
    waiting = [row for row in last.values() if row.status == Status.QUEUED]
    moved = {row.pk for row in waiting if lifecycle.cancel(row.pk, now=now)}
    lifecycle.enter(
        _again(submission, last.get(submission.pk), benchmark, now, moved) for submission in submissions
    )


def _again(
    submission: Submission,
    last: Evaluation | None,
    benchmark: BenchmarkVersion,
    now: datetime,
    moved: set[int],
) -> Evaluation:
    if last is None:  # its upload was never evaluated
        return Evaluation(submission=submission, benchmark=benchmark, queued_at=submission.created_at)
    keeps_place = last.pk in moved
    return Evaluation(
        submission=submission,
        benchmark=benchmark,
        priority=last.priority if keeps_place else Evaluation.Priority.RESCORE,
        queued_at=last.queued_at if keeps_place else now,
    )
