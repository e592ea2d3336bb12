"""Acts on submissions: accept an upload, cancel, retry after a fault."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.core.files import File
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from competition.audit.models import Act
from competition.audit.recording import Actor, record
from competition.clock import database_now
from competition.metrics import UPLOAD_BYTES
from competition.moments import in_utc
from competition.submissions import lifecycle, quotas
from competition.submissions.counts import count_submission
from competition.submissions.disqualified import of_participant
from competition.submissions.locks import lock_participant
from competition.submissions.models import Evaluation, Submission, entry_path
from competition.submissions.rescoring import follow_publication
from competition.submissions.upload_size import MULTIPART_OVERHEAD_BYTES
from competition.submissions.wakeup import wake_workers
from competition.tracks.binding import max_upload_bytes
from competition.tracks.models import Track
from competition.tracks.services import renew_unused_benchmark
from competition.uploads import disk_may_be_full
from scoring.contracts import Status
from scoring.errors import reject

NAME_CHARACTERS: Final = 255
UNNAMED: Final = "entry"


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What an upload holds, counted in bytes that were read."""

    size: int
    sha256: str


def accept_submission(
    *,
    participant: AbstractBaseUser,
    track: Track,
    upload: File[Any],
    name: str,
    sha256: str = "",
    stored_with: UUID | None = None,
    also: Callable[[Submission], object] | None = None,
    now: datetime | None = None,
) -> Submission:
    """Store the upload and queue it for evaluation; `also` is called in the transaction that writes the rows.

    With `stored_with`, the upload lies in the store already, at the place of the submission of that id.

    Raises Rejected with track_not_open, participant_disqualified, quota_used_up, already_submitted, upload_too_large,
    empty_upload or, if its SHA-256 is not the one that the sender names, upload_damaged; then nothing was stored.
    """
    now = now or database_now()
    _check_open(track, now)  # spares reading a file that is refused anyway
    _check_admitted(participant, track)
    content = _read(upload, max_bytes=max_upload_bytes(track))
    if sha256 and content.sha256 != sha256:
        raise reject("upload_damaged", found=content.sha256, sent=sha256)
    submission = Submission(
        track=track,
        participant_id=participant.pk,
        entry_name=shown_name(name),
        entry_bytes=content.size,
        sha256=content.sha256,
        created_at=now,
    )
    _check_new_and_within_quota(submission, track, now)  # spares storing it
    if stored_with:
        submission.id = stored_with
        submission.entry.name = entry_path(submission, UNNAMED)
    with ExitStack() as undo:
        # Before anything is stored: a store that breaks off leaves a part of the file under that name.
        if not stored_with:
            undo.callback(submission.entry.storage.delete, entry_path(submission, UNNAMED))
            with disk_may_be_full(content.size):
                submission.entry.save(UNNAMED, upload, save=False)
        _enter(submission, now, also)
        undo.pop_all()
    UPLOAD_BYTES.labels(track=track.slug).inc(content.size)
    follow_publication(submission, now)
    return submission


def refuse_unread(
    *,
    participant: AbstractBaseUser,
    track: Track,
    announced_bytes: int,
    sha256: str = "",
    now: datetime | None = None,
) -> None:
    """Raise Rejected for an upload that can only be refused, before its body is read.

    Whoever lost the answer to the upload that took the last slot sends it again, to learn what it became. A body
    that may hold a file that the site has already is therefore read even where no slot is free, unless its sender
    names its SHA-256.
    """
    now = now or database_now()
    _check_open(track, now)
    _check_admitted(participant, track)
    if sha256:
        _check_new_and_within_quota(
            Submission(track=track, participant_id=participant.pk, sha256=sha256), track, now
        )
        return
    least_bytes = announced_bytes - MULTIPART_OVERHEAD_BYTES
    known = _alive(participant.pk, track.pk).filter(entry_bytes__range=(least_bytes, announced_bytes))
    if not known.exists():
        _check_quota(participant, track, now)


@transaction.atomic
def cancel_evaluation(*, evaluation: Evaluation, by: Actor = None, now: datetime | None = None) -> bool:
    """Cancel an evaluation; return False if it has ended already."""
    cancelled = lifecycle.cancel(evaluation.pk, now=now or database_now())
    if cancelled:
        _record_of_staff(Act.EVALUATION_CANCELLED, evaluation, by)
    return cancelled


@transaction.atomic
def retry(*, evaluation: Evaluation, by: Actor = None, now: datetime | None = None) -> bool:
    """Queue an evaluation again that failed by our fault or was cancelled; return False if it did neither.

    What has no file any more is not queued either.
    """
    if not evaluation.submission.entry:
        return False
    queued = lifecycle.retry(evaluation.pk, now=now or database_now())
    if queued:
        wake_workers(evaluation.submission.track.queue)
        _record_of_staff(Act.EVALUATION_QUEUED_AGAIN, evaluation, by)
    return queued


def retry_failed(*, submission: Submission, by: Actor = None) -> bool:
    """Queue the submission's newest evaluation again; return False unless it failed by our fault."""
    newest = submission.evaluations.order_by("benchmark__number").last()
    return newest is not None and newest.status == Status.FAILED and retry(evaluation=newest, by=by)


@transaction.atomic
def queue_again(*, submission: Submission, now: datetime | None = None) -> bool:
    """Queue a submission that its participant cancelled, on the current version; False if it was not, or has no file.

    It takes a slot like an upload. Raises Rejected with track_not_open, participant_disqualified or quota_used_up.
    """
    now = now or database_now()
    lock_participant(submission.participant_id)
    track = Track.objects.get(pk=submission.track_id)
    last = submission.evaluations.latest("benchmark__number")
    if last.status != Status.CANCELLED or not submission.entry:
        return False
    _check_open(track, now)
    _check_admitted(submission.participant, track)
    _check_quota(submission.participant, track, now)
    if last.benchmark_id == track.benchmark_id:
        return retry(evaluation=last, now=now)
    benchmark = renew_unused_benchmark(track=track)
    lifecycle.enter([Evaluation(submission=submission, benchmark=benchmark, queued_at=now)])
    wake_workers(track.queue)
    return True


def _record_of_staff(act: Act, evaluation: Evaluation, by: Actor) -> None:
    """Tell the trail what somebody else did to a participant's evaluation; `evaluation` is as it was before."""
    if by is None or by.pk == evaluation.submission.participant_id:
        return
    record(
        act,
        evaluation,
        by=by,
        competition_id=evaluation.submission.track.competition_id,
        before={"status": evaluation.status},
        after=Evaluation.objects.values("status", "cancel_requested").get(pk=evaluation.pk),
    )


# --- acceptance ----------------------------------------------------------------------------------


@transaction.atomic
def _enter(submission: Submission, now: datetime, also: Callable[[Submission], object] | None = None) -> None:
    """Check again, now that nobody else can upload for the participant, and write the rows."""
    lock_participant(submission.participant_id)
    track = Track.objects.get(pk=submission.track_id)
    _check_open(track, now)
    _check_admitted(submission.participant, track)
    _check_new_and_within_quota(submission, track, now)
    submission.save(force_insert=True)
    benchmark = renew_unused_benchmark(track=track)
    lifecycle.enter([Evaluation(submission=submission, benchmark=benchmark, queued_at=now)])
    wake_workers(track.queue)
    if also:
        also(submission)
    count_submission(submission)


def _check_open(track: Track, now: datetime) -> None:
    if not track.is_taking_submissions(now) or track.benchmark_id is None:
        raise reject("track_not_open", track=track.name, why=_why_not_open(track, now))


def _check_admitted(participant: AbstractBaseUser, track: Track) -> None:
    found = of_participant(participant.pk, track)
    if found is not None:
        raise reject("participant_disqualified", competition=found.competition.name, reason=found.reason)


def _check_new_and_within_quota(submission: Submission, track: Track, now: datetime) -> None:
    # In this order: whoever lost the answer to the upload that took the last slot sends it again.
    _check_new(submission)
    _check_quota(submission.participant, track, now)


def _check_quota(participant: AbstractBaseUser, track: Track, now: datetime) -> None:
    slots = quotas.slots(participant=participant, track=track, now=now)
    if slots.next_slot_minute is not None:
        raise reject(
            "quota_used_up",
            found=slots.used,
            allowed=slots.allowed,
            window_hours=slots.window_hours,
            next_slot=in_utc(slots.next_slot_minute),
        )


def _check_new(submission: Submission) -> None:
    own = _alive(submission.participant_id, submission.track_id)
    same = own.filter(sha256=submission.sha256).first()
    if same is not None:
        raise reject(
            "already_submitted",
            submission=same.short_id,
            id=str(same.id),
            uploaded_at=in_utc(same.created_at),
            status=same.evaluations.latest("benchmark__number").status,
        )


def _alive(participant_id: int, track_id: int) -> QuerySet[Submission]:
    """Return the submissions whose files cannot be submitted again."""
    alive = Evaluation.objects.filter(submission=OuterRef("pk")).exclude(
        status__in=(Status.FAILED, Status.CANCELLED)
    )
    return Submission.objects.filter(Exists(alive), track_id=track_id, participant_id=participant_id)


def _why_not_open(track: Track, now: datetime) -> str:
    if track.is_closed(now) and track.closes_at is not None:
        return f"it closed at {in_utc(track.closes_at)}"
    if track.opens_at is not None and track.opens_at > now:
        return f"it opens at {in_utc(track.opens_at)}"
    return "the organisers have not opened it yet"


def _read(upload: File[Any], *, max_bytes: int) -> _Content:
    """Read the upload once; raises Rejected for one that is empty or too large.

    The declared size is the sender's word, so the limit counts bytes that were read.
    """
    digest = hashlib.sha256()
    size = 0
    for chunk in upload.chunks():
        size += len(chunk)
        if size > max_bytes:
            raise reject("upload_too_large", allowed_bytes=max_bytes)
        digest.update(chunk)
    if size == 0:
        raise reject("empty_upload")
    return _Content(size=size, sha256=digest.hexdigest())


def shown_name(name: str) -> str:
    """Return the last part of the sender's file name without characters that pages and logs obey."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip()
    return shown[:NAME_CHARACTERS] or UNNAMED
