"""The right to write to an evaluation: claimed, kept up, and asked for at every write.

A worker claims an evaluation under the lock of its line, by an UPDATE that gives it a lease: an owner, an
expiry and a fence number that grows with each claim. Every later write names the fence. Whoever comes with
an old one, a worker that was thought dead, say, gets `LeaseLost` and has changed nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from competition.submissions.lifecycle.faults import is_left_to_others
from competition.submissions.lifecycle.waiting import hold_line, serve
from competition.submissions.locks import lock_participant
from competition.submissions.models import Evaluation
from competition.submissions.quarantined import quarantined
from scoring.contracts import Stage, Status
from scoring.errors import PodiumError


class LeaseLost(PodiumError):
    """The lease is no longer held; nothing was written."""


class CancelRequested(PodiumError):
    """Somebody asked to cancel the running evaluation; `record_cancelled` ends it."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to write to one evaluation, as long as nobody claims it after us."""

    evaluation: int
    owner: str
    fence: int


def claimable(now: datetime) -> Q:
    """Return what may be claimed: queued, not resting after a fault and not in quarantine.

    What a lost worker left is queued first, by `take_back_abandoned`: it may have to rest.
    """
    rested = Q(not_before__isnull=True) | Q(not_before__lte=now)
    return Q(status=Status.QUEUED) & rested & ~Q(quarantined())


@transaction.atomic
def claim(evaluation: int, *, owner: str, now: datetime, held: int | None = None) -> Lease | None:
    """Claim the evaluation, or return None if it is not to be had (any more), or by others before us.

    `held` is its line, where the caller has locked that.
    """
    if is_left_to_others(evaluation, owner=owner, now=now):
        return None
    line = held or hold_line(evaluation)
    free = Evaluation.objects.select_for_update(skip_locked=True, no_key=True).filter(claimable(now))
    row = free.only("lane", "fence", "attempts").filter(pk=evaluation).first()
    if row is None:
        return None
    lease = Lease(evaluation=evaluation, owner=owner, fence=row.fence + 1)
    Evaluation.objects.filter(pk=evaluation, fence=row.fence).update(
        status=Status.RUNNING,
        stage="",
        started_at=now,
        not_before=None,
        lease_owner=owner,
        lease_expires_at=_lease_end(now),
        fence=lease.fence,
        attempts=row.attempts + 1,
    )
    serve(line, row, now=now)
    return lease


def check(lease: Lease) -> None:
    """Raise LeaseLost or CancelRequested if work under the lease is to stop; write nothing."""
    if not _under(lease).filter(cancel_requested=False).exists():
        raise _why_stopped(lease)


def renew(lease: Lease, *, now: datetime) -> None:
    """Make the lease last from now on; raise as `check` does."""
    _write(lease, lease_expires_at=_lease_end(now))


def note_stage(lease: Lease, stage: Stage, *, now: datetime) -> None:
    """Show the stage and renew the lease; raise as `check` does."""
    _write(lease, stage=stage, lease_expires_at=_lease_end(now))


def locked(lease: Lease) -> Evaluation:
    """Lock and return the row under the lease; raise LeaseLost if there is none."""
    row = _under(lease).select_for_update().first()
    if row is None:
        raise LeaseLost(str(lease))
    return row


def held(lease: Lease) -> Evaluation:
    """Lock the participant, then the row: the order in which all who need both take them."""
    owner = Evaluation.objects.values_list("submission__participant_id", flat=True).get(pk=lease.evaluation)
    lock_participant(owner)
    row = locked(lease)
    if row.cancel_requested:
        raise CancelRequested(str(lease))
    return row


def is_worked_on(row: Evaluation, now: datetime) -> bool:
    """Say whether somebody holds a lease that has not expired."""
    return row.lease_expires_at is not None and row.lease_expires_at > now


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_S)


def _under(lease: Lease) -> QuerySet[Evaluation]:
    return Evaluation.objects.filter(pk=lease.evaluation, status=Status.RUNNING, fence=lease.fence)


def _write(lease: Lease, **fields: object) -> None:
    if not _under(lease).filter(cancel_requested=False).update(**fields):
        raise _why_stopped(lease)


def _why_stopped(lease: Lease) -> LeaseLost | CancelRequested:
    return CancelRequested(str(lease)) if _under(lease).exists() else LeaseLost(str(lease))
