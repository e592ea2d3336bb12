"""Quotas: how many submissions a participant has left on a track, in a rolling window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q

from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Track
from scoring.contracts import Status

FAULT = Q(status=Status.FAILED)
ALMOST_A_MINUTE: Final = timedelta(seconds=59, microseconds=999_999)
CANCELLED_BEFORE_START = Q(status=Status.CANCELLED, started_at__isnull=True)


@dataclass(frozen=True, kw_only=True)
class Slots:
    """A participant's submissions within the window; `next_slot_at` is None while one is free."""

    used: int
    allowed: int
    window_hours: int
    next_slot_at: datetime | None

    @property
    def next_slot_minute(self) -> datetime | None:
        """Return the next slot's time rounded up: in the minute that people read, it is open."""
        if self.next_slot_at is None:
            return None
        return (self.next_slot_at + ALMOST_A_MINUTE).replace(second=0, microsecond=0)


def slots(*, participant: AbstractBaseUser, track: Track, now: datetime) -> Slots:
    """Return what the participant has used. Rejected entries count; our faults and early cancels do not."""
    window = timedelta(hours=track.quota_window_hours)
    charged = Evaluation.objects.filter(submission=OuterRef("pk")).exclude(FAULT | CANCELLED_BEFORE_START)
    uploads = Submission.objects.filter(
        Exists(charged), participant_id=participant.pk, track=track, created_at__gt=now - window
    ).order_by("created_at")
    times = list(uploads.values_list("created_at", flat=True))
    # A slot opens when so many have left the window that fewer than the allowed number remain.
    excess = len(times) - track.quota_submissions
    return Slots(
        used=len(times),
        allowed=track.quota_submissions,
        window_hours=track.quota_window_hours,
        next_slot_at=times[excess] + window if excess >= 0 else None,
    )
