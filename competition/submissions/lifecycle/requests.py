"""What others do to an evaluation: cancel it, queue it again, put it in quarantine, take back what was abandoned."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from competition.references import new_reference
from competition.submissions.lifecycle.faults import have_failed_it, note_fault, rest_after
from competition.submissions.lifecycle.leases import is_worked_on
from competition.submissions.lifecycle.transitions import WAITING, move
from competition.submissions.lifecycle.waiting import hold_line, hold_line_of, refresh
from competition.submissions.models import Evaluation, Quarantine, Submission
from scoring.contracts import Status
from scoring.errors import Cause


@transaction.atomic
def cancel(evaluation: int, *, now: datetime) -> bool:
    """End an evaluation that nobody works on at once, or ask the worker of a running one to stop.

    Returns False if it has ended already.
    """
    hold_line(evaluation)
    row = Evaluation.objects.select_for_update().get(pk=evaluation)
    if row.is_final:
        return False
    if is_worked_on(row, now):
        Evaluation.objects.filter(pk=row.pk, fence=row.fence).update(cancel_requested=True)
    else:
        move(row, Status.CANCELLED, finished_at=now)
    return True


@transaction.atomic
def retry(evaluation: int, *, now: datetime) -> bool:
    """Queue a failed or cancelled evaluation again with fresh attempts; return False if it is neither."""
    hold_line(evaluation)
    row = Evaluation.objects.select_for_update().get(pk=evaluation)
    if row.status not in (Status.FAILED, Status.CANCELLED):
        return False
    row.faults.all().delete()
    move(row, Status.QUEUED, **WAITING, queued_at=now, finished_at=None, attempts=0, reference="", fault="")
    return True


@transaction.atomic
def quarantine(submission: Submission, *, reason: str, now: datetime) -> bool:
    """Let nobody claim the submission until it is released; return False if it is in quarantine already.

    A running evaluation is taken from its worker, which costs no attempt. What waits keeps its place.
    """
    hold_line_of(submission)
    kept = {"reason": reason, "at": now}
    _, is_new = Quarantine.objects.get_or_create(submission=submission, defaults=kept)
    if is_new:
        enforce_quarantine(submission, now=now)
    return is_new


@transaction.atomic
def enforce_quarantine(submission: Submission, *, now: datetime) -> None:
    """Take a submission that is in quarantine from whoever works on it, and out of the queue's order."""
    hold_line_of(submission)
    for row in submission.evaluations.select_for_update().filter(status=Status.RUNNING):
        if row.cancel_requested:
            move(row, Status.CANCELLED, finished_at=now)
        else:
            move(row, Status.QUEUED, **WAITING, attempts=max(0, row.attempts - 1))
    refresh(_lanes_of(submission), ())


@transaction.atomic
def lift_quarantine(submission: Submission) -> bool:
    """Let the submission be claimed again, at its place; return False if it is in no quarantine."""
    hold_line_of(submission)
    removed, _ = Quarantine.objects.filter(submission=submission).delete()
    refresh(_lanes_of(submission), ())
    return bool(removed)


def _lanes_of(submission: Submission) -> list[int]:
    return list(submission.evaluations.filter(lane__isnull=False).values_list("lane", flat=True))


def abandoned(now: datetime) -> Q:
    """Return what lost workers left; one that was only cut off goes on unless somebody takes it back."""
    return Q(status=Status.RUNNING, lease_expires_at__lte=now)


def take_back_abandoned(*, now: datetime, lost_for: timedelta = timedelta(0)) -> tuple[int, ...]:
    """Put what workers left that were lost so long ago back into the queue, or end it.

    Returns what has failed for good.
    """
    left = abandoned(now) & (Q(cancel_requested=True) | Q(lease_expires_at__lte=now - lost_for))
    found = Evaluation.objects.filter(left).values_list("pk", flat=True)
    return tuple(pk for pk in found if _take_back(pk, now) is Status.FAILED)


@transaction.atomic
def _take_back(evaluation: int, now: datetime) -> Status | None:
    """Return the evaluation's new status, or nothing if somebody works on it after all."""
    hold_line(evaluation)
    row = Evaluation.objects.select_for_update().get(pk=evaluation)
    if row.status != Status.RUNNING or row.lease_expires_at is None or is_worked_on(row, now):
        return None
    if row.cancel_requested:
        return move(row, Status.CANCELLED, finished_at=now)
    detail = f"the worker {row.lease_owner} was lost in attempt {row.attempts}, stage {row.stage or 'none'}"
    kept = {"reference": new_reference(), "fault": detail}
    lost_at = row.lease_expires_at
    met = note_fault(
        row, worker=row.lease_owner, cause=Cause.LOST_WORKER, reference=kept["reference"], at=lost_at
    )
    if have_failed_it(row, met, now):
        return move(row, Status.FAILED, finished_at=now, **kept)
    return move(row, Status.QUEUED, **WAITING, not_before=lost_at + rest_after(met), **kept)
