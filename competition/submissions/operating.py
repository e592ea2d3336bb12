"""What operators and organisers do about a bad minute: pause a track, put an entry in quarantine, drain a worker.

Each act says whether it changed anything. If it did, it is in the audit trail.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from competition.audit.models import Act
from competition.audit.recording import Actor, Facts, record
from competition.clock import database_now
from competition.submissions import lifecycle
from competition.submissions.models import Submission, Worker
from competition.submissions.wakeup import wake_workers
from competition.tracks.models import Track


@transaction.atomic
def pause_track(*, track: Track, by: Actor, now: datetime | None = None) -> bool:
    """Let no worker claim the track's entries; uploads stay open, what waits keeps its place, what runs is finished."""
    now = now or database_now()
    if not Track.objects.filter(pk=track.pk, paused_at=None).update(paused_at=now):
        return False
    track.paused_at = now
    _record_of_track(Act.TRACK_PAUSED, track, by, before={"paused_at": None}, after={"paused_at": now})
    return True


@transaction.atomic
def resume_track(*, track: Track, by: Actor) -> bool:
    """Let workers claim the track's entries again."""
    paused_at = Track.objects.select_for_update(no_key=True).get(pk=track.pk).paused_at
    if paused_at is None:
        return False
    Track.objects.filter(pk=track.pk).update(paused_at=None)
    track.paused_at = None
    _record_of_track(Act.TRACK_RESUMED, track, by, before={"paused_at": paused_at}, after={"paused_at": None})
    wake_workers(track.queue)
    return True


@transaction.atomic
def quarantine(*, submission: Submission, reason: str, by: Actor, now: datetime | None = None) -> bool:
    """Let no worker claim the submission; one that works on it stops. It uses no slot until it is released."""
    if not lifecycle.quarantine(submission, reason=reason, now=now or database_now()):
        return False
    own = submission.track.competition_id
    record(Act.QUARANTINED, submission, by=by, competition_id=own, reason=reason)
    return True


@transaction.atomic
def release(*, submission: Submission, by: Actor) -> bool:
    """Let workers claim the submission again, at the place that it kept."""
    if not lifecycle.lift_quarantine(submission):
        return False
    record(Act.RELEASED, submission, by=by, competition_id=submission.track.competition_id)
    wake_workers(submission.track.queue)
    return True


@transaction.atomic
def drain(*, worker: Worker, by: Actor, now: datetime | None = None) -> bool:
    """Let the worker end what it has and claim nothing more."""
    now = now or database_now()
    # Waits for a claim that goes on in this moment: see `workers.hold_to_claim`.
    if not Worker.objects.filter(pk=worker.pk, drain_requested_at=None).update(drain_requested_at=now):
        return False
    asked = {"drain_requested_at": now}
    record(Act.WORKER_DRAINED, worker, by=by, competition_id=None, after=asked)
    return True


@transaction.atomic
def resume_worker(*, worker: Worker, by: Actor) -> bool:
    """Let a drained or draining worker claim again."""
    asked_at = Worker.objects.select_for_update(no_key=True).get(pk=worker.pk).drain_requested_at
    if asked_at is None:
        return False
    Worker.objects.filter(pk=worker.pk).update(drain_requested_at=None)
    asked = {"drain_requested_at": asked_at}
    record(Act.WORKER_RESUMED, worker, by=by, competition_id=None, before=asked)
    for queue in worker.queues:
        wake_workers(queue)
    return True


def _record_of_track(act: Act, track: Track, by: Actor, *, before: Facts, after: Facts) -> None:
    record(act, track, by=by, competition_id=track.competition_id, before=before, after=after)
