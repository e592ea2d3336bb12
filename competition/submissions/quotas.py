"""Quotas: how many submissions a participant has left on a track, in a rolling window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q

from competition.submissions.models import Evaluation, Submission
from competition.submissions.quarantined import quarantined
from competition.tracks.models import Track
from scoring.contracts import Stage, Status

FAULT = Q(status=Status.FAILED)
ALMOST_A_MINUTE: Final = timedelta(seconds=59, microseconds=999_999)
CANCELLED_BEFORE_START = Q(status=Status.CANCELLED, started_at__isnull=True)
IN_QUARANTINE = Q(status__in=(Status.QUEUED, Status.RUNNING)) & Q(quarantined())
"""Nobody evaluates it: it uses no slot until it is released."""
EARLY_REJECTION = Q(status=Status.REJECTED, stage__in=("", Stage.INTAKE, Stage.INSPECT))
"""Rejected before any code of the entry ran: a wrong file, a missing one. A slip that took us a moment."""
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Slots:
    """A participant's submissions within the window; `next_slot_at` is None while one is free.

    Of `free_rejections` early rejections in an hour, which use no slot, `free_rejections_used` came in the last.
    """

    used: int
    allowed: int
    window_hours: int
    next_slot_at: datetime | None
    free_rejections: int = 0
    free_rejections_used: int = 0

    @property
    def next_slot_minute(self) -> datetime | None:
        """Return the next slot's time rounded up: in the minute that people read, it is open."""
        if self.next_slot_at is None:
            return None
        return (self.next_slot_at + ALMOST_A_MINUTE).replace(second=0, microsecond=0)


@dataclass(frozen=True, kw_only=True)
class _Upload:
    """When an upload came, and whether it got no further than an early rejection."""

    at: datetime
    was_early: bool


def slots(*, participant: AbstractBaseUser, track: Track, now: datetime) -> Slots:
    """Return what the participant has used; our faults, early cancels, free rejections and quarantine use nothing."""
    window = timedelta(hours=track.quota_window_hours)
    uploads = _uploads(participant, track, after=now - window - HOUR)
    times = [at for at in _charged(uploads, free=track.free_rejections) if at > now - window]
    early = sum(upload.was_early and upload.at > now - HOUR for upload in uploads)
    # A slot opens when so many have left the window that fewer than the allowed number remain.
    excess = len(times) - track.quota_submissions
    return Slots(
        used=len(times),
        allowed=track.quota_submissions,
        window_hours=track.quota_window_hours,
        next_slot_at=times[excess] + window if excess >= 0 else None,
        free_rejections=track.free_rejections,
        free_rejections_used=min(early, track.free_rejections),
    )


def _uploads(participant: AbstractBaseUser, track: Track, *, after: datetime) -> list[_Upload]:
    """Return the uploads that were more than a fault, an early cancel or in quarantine, the oldest first."""
    free = FAULT | CANCELLED_BEFORE_START | IN_QUARANTINE
    own = Evaluation.objects.filter(submission=OuterRef("pk")).exclude(free)
    found = (
        Submission.objects.filter(
            Exists(own), participant_id=participant.pk, track=track, created_at__gt=after
        )
        .annotate(went_on=Exists(own.exclude(EARLY_REJECTION)))
        .order_by("created_at")
        .values_list("created_at", "went_on")
    )
    return [_Upload(at=at, was_early=not went_on) for at, went_on in found]


def _charged(uploads: Sequence[_Upload], *, free: int) -> Iterator[datetime]:
    """Yield the times of uploads that use a slot: of early rejections, those beyond the free ones of their hour."""
    early: list[datetime] = []
    for upload in uploads:
        if upload.was_early:
            early.append(upload.at)
        if not upload.was_early or (len(early) > free and early[-1 - free] > upload.at - HOUR):
            yield upload.at
