"""What others do to an evaluation: cancel it, queue it again, close what was abandoned."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from competition.references import new_reference
from competition.submissions.lifecycle.leases import is_worked_on
from competition.submissions.lifecycle.transitions import WAITING, move
from competition.submissions.models import Evaluation
from scoring.contracts import Status


@transaction.atomic
def cancel(evaluation: int, *, now: datetime) -> bool:
    """End an evaluation that nobody works on at once, or ask the worker of a running one to stop.

    Returns False if it has ended already.
    """
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
    """Queue a failed evaluation again with fresh attempts; return False if it has not failed."""
    row = Evaluation.objects.select_for_update().get(pk=evaluation)
    if row.status != Status.FAILED:
        return False
    move(row, Status.QUEUED, **WAITING, queued_at=now, finished_at=None, attempts=0, reference="", fault="")
    return True


def close_abandoned(*, now: datetime) -> tuple[int, ...]:
    """End what was abandoned for the last time: cancelled on request, or out of attempts."""
    abandoned = Evaluation.objects.filter(status=Status.RUNNING, lease_expires_at__lte=now)
    return tuple(pk for pk in abandoned.values_list("pk", flat=True) if _close(pk, now))


@transaction.atomic
def _close(evaluation: int, now: datetime) -> bool:
    row = Evaluation.objects.select_for_update().get(pk=evaluation)
    if row.status != Status.RUNNING or is_worked_on(row, now):
        return False
    if row.cancel_requested:
        move(row, Status.CANCELLED, finished_at=now)
        return True
    if row.attempts < settings.MAX_ATTEMPTS:
        return False
    detail = f"the worker {row.lease_owner} was lost in attempt {row.attempts}, stage {row.stage or 'none'}"
    move(row, Status.FAILED, finished_at=now, reference=new_reference(), fault=detail)
    return True
