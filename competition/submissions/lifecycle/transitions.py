"""Which status may follow which, and the compare-and-set by which every status but a claim is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from competition.submissions.lifecycle.leases import LeaseLost
from competition.submissions.lifecycle.waiting import come_back, leave
from competition.submissions.models import Evaluation
from scoring.contracts import Status
from scoring.errors import PodiumError

LEGAL: Final[Mapping[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED}),
    Status.RUNNING: frozenset(
        {Status.QUEUED, Status.SCORED, Status.REJECTED, Status.FAILED, Status.CANCELLED}
    ),
    Status.SCORED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.FAILED: frozenset({Status.QUEUED}),
    Status.CANCELLED: frozenset({Status.QUEUED}),
}
WAITING: Final[Mapping[str, Any]] = {"stage": "", "started_at": None}


class IllegalTransition(PodiumError):
    """A status cannot follow another; a defect of ours."""


def move(row: Evaluation, to: Status, **fields: object) -> Status:
    """Change the status of a locked row; its lease is over, and what has ended keeps who ended it.

    Whoever lets a row wait, or ends its waiting, holds its line too.
    """
    if to not in LEGAL[Status(row.status)]:
        raise IllegalTransition(f"evaluation {row.pk}: {row.status} to {to}")
    unchanged = Evaluation.objects.filter(pk=row.pk, status=row.status, fence=row.fence)
    cleared: dict[str, object] = {"lease_expires_at": None, "cancel_requested": False}
    if to is Status.QUEUED:
        cleared["lease_owner"] = ""
    if not unchanged.update(status=to, **cleared, **fields):
        raise LeaseLost(f"evaluation {row.pk} is not {row.status} under fence {row.fence}")
    if to is Status.QUEUED:
        come_back(row)
    elif row.status == Status.QUEUED:
        leave(row)
    return to
