"""The life of an evaluation: the only module that writes a status.

A worker claims an evaluation by one conditional UPDATE, which gives it a lease: an owner, an expiry
and a fence number that grows with each claim. Every later write names the fence. Whoever comes with
an old one, a worker that was thought dead, say, gets `LeaseLost` and has changed nothing.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from competition.leaderboard import standings
from competition.submissions import storable
from competition.submissions.locks import lock_participant
from competition.submissions.models import Evaluation, Score
from scoring.contracts import ScoreReport, ScoreValue, Split, Stage, Status
from scoring.errors import PodiumError, Rejected

# RUNNING to RUNNING is a takeover: the lease has expired and somebody else claims the evaluation.
LEGAL: Final[Mapping[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELLED}),
    Status.RUNNING: frozenset(
        {Status.RUNNING, Status.QUEUED, Status.SCORED, Status.REJECTED, Status.FAILED, Status.CANCELLED}
    ),
    Status.SCORED: frozenset(),
    Status.REJECTED: frozenset(),
    Status.FAILED: frozenset({Status.QUEUED}),
    Status.CANCELLED: frozenset(),
}
RETRY_DELAY: Final = timedelta(seconds=15)


class LeaseLost(PodiumError):
    """The lease is no longer held; nothing was written."""


class CancelRequested(PodiumError):
    """Somebody asked to cancel the running evaluation; `record_cancelled` ends it."""


class IllegalTransition(PodiumError):
    """A status cannot follow another; a defect of ours."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to write to one evaluation, as long as nobody claims it after us."""

    evaluation: int
    owner: str
    fence: int


def new_reference() -> str:
    """Return an id by which staff find a fault in the logs."""
    return secrets.token_hex(4)


def claimable(now: datetime) -> Q:
    """Return what may be claimed: queued and due, or running under an expired lease."""
    due = Q(status=Status.QUEUED, queued_at__lte=now)
    abandoned = Q(status=Status.RUNNING, lease_expires_at__lte=now, cancel_requested=False)
    return due | (abandoned & Q(attempts__lt=settings.MAX_ATTEMPTS))


# --- what a worker does --------------------------------------------------------------------------


@transaction.atomic
def claim(evaluation: int, *, owner: str, now: datetime) -> Lease | None:
    """Claim the evaluation, or return None if it is not to be had (any more)."""
    claimed = Evaluation.objects.filter(claimable(now), pk=evaluation).update(
        status=Status.RUNNING,
        stage="",
        started_at=now,
        lease_owner=owner,
        lease_expires_at=_lease_end(now),
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
    )
    if not claimed:
        return None
    # Our own UPDATE holds the row until the transaction ends, so this is the fence that we set.
    fence = Evaluation.objects.values_list("fence", flat=True).get(pk=evaluation)
    return Lease(evaluation=evaluation, owner=owner, fence=fence)


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


@transaction.atomic
def record_scored(lease: Lease, report: ScoreReport, *, now: datetime) -> None:
    """Write scores, state and standing at once; raise as `check` does, having written nothing."""
    row = _held(lease)
    Score.objects.bulk_create(
        [_score(row, name, value, Split.PUBLIC) for name, value in report.scores.items()]
        + [_score(row, name, value, Split.PRIVATE) for name, value in report.private_scores.items()]
    )
    _move(
        row,
        Status.SCORED,
        finished_at=now,
        findings=storable.findings(report.warnings),
        usage=storable.plain(asdict(report.usage)),
        report=_summary(report),
        log=storable.text(report.log),
    )
    standings.update(benchmark=row.benchmark, participant_id=row.submission.participant_id)


@transaction.atomic
def record_rejected(lease: Lease, rejected: Rejected, *, now: datetime) -> None:
    """Write what was found in the entry; raise as `check` does, having written nothing."""
    row = _held(lease)
    _move(
        row,
        Status.REJECTED,
        finished_at=now,
        code=rejected.code,
        findings=storable.findings(rejected.findings),
        usage=storable.plain(asdict(rejected.usage)) if rejected.usage else None,
        report={"timings_s": storable.plain(rejected.timings_s)},
        log=storable.text(rejected.log),
    )


@transaction.atomic
def record_fault(lease: Lease, *, reference: str, detail: str, now: datetime) -> Status:
    """Put the evaluation back into the queue, or let it fail after the last attempt.

    Returns its new status; raises LeaseLost, having written nothing.
    """
    row = _locked(lease)
    kept = {"reference": reference, "fault": storable.text(detail)}
    if row.cancel_requested:
        return _move(row, Status.CANCELLED, finished_at=now, **kept)
    if row.attempts >= settings.MAX_ATTEMPTS:
        return _move(row, Status.FAILED, finished_at=now, **kept)
    return _move(row, Status.QUEUED, **_WAITING, queued_at=now + RETRY_DELAY * row.attempts, **kept)


@transaction.atomic
def record_cancelled(lease: Lease, *, now: datetime) -> None:
    """End an evaluation that somebody asked to cancel; raise LeaseLost, having written nothing."""
    _move(_locked(lease), Status.CANCELLED, finished_at=now)


@transaction.atomic
def release(lease: Lease, *, now: datetime) -> Status:
    """Give an unfinished evaluation back at once: the worker must stop. It costs no attempt.

    Returns its new status; raises LeaseLost, having written nothing.
    """
    row = _locked(lease)
    if row.cancel_requested:
        return _move(row, Status.CANCELLED, finished_at=now)
    return _move(row, Status.QUEUED, **_WAITING, attempts=row.attempts - 1)


# --- what others do ------------------------------------------------------------------------------


@transaction.atomic
def cancel(evaluation: int, *, now: datetime) -> bool:
    """End an evaluation that nobody works on at once, or ask the worker of a running one to stop.

    Returns False if it has ended already.
    """
    row = Evaluation.objects.select_for_update().get(pk=evaluation)
    if row.is_final:
        return False
    if _is_worked_on(row, now):
        Evaluation.objects.filter(pk=row.pk, fence=row.fence).update(cancel_requested=True)
    else:
        _move(row, Status.CANCELLED, finished_at=now)
    return True


@transaction.atomic
def retry(evaluation: int, *, now: datetime) -> bool:
    """Queue a failed evaluation again with fresh attempts; return False if it has not failed."""
    row = Evaluation.objects.select_for_update().get(pk=evaluation)
    if row.status != Status.FAILED:
        return False
    _move(row, Status.QUEUED, **_WAITING, queued_at=now, finished_at=None, attempts=0, reference="", fault="")
    return True


def close_abandoned(*, now: datetime) -> tuple[int, ...]:
    """End what was abandoned for the last time: cancelled on request, or out of attempts."""
    abandoned = Evaluation.objects.filter(status=Status.RUNNING, lease_expires_at__lte=now)
    return tuple(pk for pk in abandoned.values_list("pk", flat=True) if _close(pk, now))


@transaction.atomic
def _close(evaluation: int, now: datetime) -> bool:
    row = Evaluation.objects.select_for_update().get(pk=evaluation)
    if row.status != Status.RUNNING or _is_worked_on(row, now):
        return False
    if row.cancel_requested:
        _move(row, Status.CANCELLED, finished_at=now)
        return True
    if row.attempts < settings.MAX_ATTEMPTS:
        return False
    detail = f"the worker {row.lease_owner} was lost in attempt {row.attempts}, stage {row.stage or 'none'}"
    _move(row, Status.FAILED, finished_at=now, reference=new_reference(), fault=detail)
    return True


# --- compare and set -----------------------------------------------------------------------------

_WAITING: Final[Mapping[str, Any]] = {"stage": "", "started_at": None}


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_S)


def _is_worked_on(row: Evaluation, now: datetime) -> bool:
    return row.lease_expires_at is not None and row.lease_expires_at > now


def _under(lease: Lease) -> QuerySet[Evaluation]:
    return Evaluation.objects.filter(pk=lease.evaluation, status=Status.RUNNING, fence=lease.fence)


def _write(lease: Lease, **fields: object) -> None:
    if not _under(lease).filter(cancel_requested=False).update(**fields):
        raise _why_stopped(lease)


def _why_stopped(lease: Lease) -> LeaseLost | CancelRequested:
    return CancelRequested(str(lease)) if _under(lease).exists() else LeaseLost(str(lease))


def _locked(lease: Lease) -> Evaluation:
    row = _under(lease).select_for_update().first()
    if row is None:
        raise LeaseLost(str(lease))
    return row


def _held(lease: Lease) -> Evaluation:
    """Lock the participant, then the row: the order in which all who need both take them."""
    owner = Evaluation.objects.values_list("submission__participant_id", flat=True).get(pk=lease.evaluation)
    lock_participant(owner)
    row = _locked(lease)
    if row.cancel_requested:
        raise CancelRequested(str(lease))
    return row


def _move(row: Evaluation, to: Status, **fields: object) -> Status:
    """Change the status of a locked row; every field that says who works on it is cleared."""
    if to not in LEGAL[Status(row.status)]:
        raise IllegalTransition(f"evaluation {row.pk}: {row.status} to {to}")
    unchanged = Evaluation.objects.filter(pk=row.pk, status=row.status, fence=row.fence)
    cleared = {"lease_owner": "", "lease_expires_at": None, "cancel_requested": False}
    if not unchanged.update(status=to, **cleared, **fields):
        raise LeaseLost(f"evaluation {row.pk} is not {row.status} under fence {row.fence}")
    return to


def _score(row: Evaluation, metric: str, value: ScoreValue, split: Split) -> Score:
    # A NaN compares false with everything and would stand on a board wherever it was put.
    if not all(map(math.isfinite, (value.value, *value.ci))):
        raise ValueError(f"{metric} of evaluation {row.pk} is not finite")
    low, high = value.ci
    return Score(
        evaluation=row,
        metric=metric,
        split=split,
        value=value.value,
        ci_low=low,
        ci_high=high,
        higher_is_better=value.higher_is_better,
        version=value.version,
        details=storable.plain(value.details),
    )


def _summary(report: ScoreReport) -> dict[str, Any]:
    return {
        "format": report.format.value,
        "samples": report.samples,
        "breakdown": storable.plain(asdict(report.breakdown)) if report.breakdown else None,
        "timings_s": storable.plain(report.timings_s),
        "isolated": report.isolated,
    }
