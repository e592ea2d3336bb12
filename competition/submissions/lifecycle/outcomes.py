"""How a worker ends an attempt: with a score, a rejection, a fault, a cancellation, or unfinished."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from competition.submissions import storable
from competition.submissions.lifecycle.faults import have_failed_it, note_fault, rest_after
from competition.submissions.lifecycle.leases import Lease, held, locked
from competition.submissions.lifecycle.transitions import WAITING, move
from competition.submissions.lifecycle.waiting import hold_line
from competition.submissions.models import Evaluation, Score
from scoring.contracts import Package, ScoreReport, ScoreValue, Split, Status, quantised_name
from scoring.errors import Cause, Rejected
from scoring.reports.report import quantised_facts


@transaction.atomic
def record_scored(
    lease: Lease,
    report: ScoreReport,
    *,
    now: datetime,
    place: Callable[[Evaluation], None],
    hardware: str = "",
) -> None:
    """Write scores and status, and let `place` write the standing, in one transaction.

    `hardware` is the class of the machine that scored, which boards tell where it is not the track's any more.
    Raises as `check` does, or what `place` raises; then nothing was written.
    """
    row = held(lease)
    Score.objects.bulk_create(
        [_score(row, name, value, Split.PUBLIC) for name, value in _named(report, Split.PUBLIC).items()]
        + [_score(row, name, value, Split.PRIVATE) for name, value in _named(report, Split.PRIVATE).items()]
    )
    move(
        row,
        Status.SCORED,
        finished_at=now,
        findings=storable.findings(report.warnings),
        usage=storable.plain(asdict(report.usage)),
        report={**_summary(report), "hardware": hardware},
        log=storable.text(report.log),
    )
    place(row)


@transaction.atomic
def record_rejected(lease: Lease, rejected: Rejected, *, now: datetime) -> None:
    """Write what was found in the entry; raise as `check` does, having written nothing."""
    row = held(lease)
    move(
        row,
        Status.REJECTED,
        finished_at=now,
        code=rejected.code,
        findings=storable.findings((*rejected.findings, *rejected.warnings)),
        usage=storable.plain(asdict(rejected.usage)) if rejected.usage else None,
        report={"timings_s": storable.plain(rejected.timings_s), **_recognised(rejected.package)},
        log=storable.text(rejected.log),
    )


@transaction.atomic
def record_fault(
    lease: Lease, *, reference: str, detail: str, now: datetime, cause: Cause = Cause.UNKNOWN
) -> Status:
    """Put the evaluation back into the queue, at its place, to rest a while; or let it fail.

    What fails for good, `faults` decides. Trouble that all entries share costs no attempt.

    Returns its new status; raises LeaseLost, having written nothing.
    """
    hold_line(lease.evaluation)
    row = locked(lease)
    kept = {"reference": reference, "fault": storable.text(detail)}
    if row.cancel_requested:
        return move(row, Status.CANCELLED, finished_at=now, **kept)
    met = note_fault(row, worker=lease.owner, cause=cause, reference=reference, at=now)
    if have_failed_it(row, met, now):
        return move(row, Status.FAILED, finished_at=now, **kept)
    attempts = row.attempts if cause.counts else row.attempts - 1
    return move(row, Status.QUEUED, **WAITING, attempts=attempts, not_before=now + rest_after(met), **kept)


@transaction.atomic
def record_cancelled(lease: Lease, *, now: datetime) -> None:
    """End an evaluation that somebody asked to cancel; raise LeaseLost, having written nothing."""
    move(locked(lease), Status.CANCELLED, finished_at=now)


@transaction.atomic
def release(lease: Lease, *, now: datetime) -> Status:
    """Give an unfinished evaluation back at once: the worker must stop. It costs no attempt.

    Returns its new status; raises LeaseLost, having written nothing.
    """
    hold_line(lease.evaluation)
    row = locked(lease)
    if row.cancel_requested:
        return move(row, Status.CANCELLED, finished_at=now)
    return move(row, Status.QUEUED, **WAITING, attempts=row.attempts - 1)


def _named(report: ScoreReport, split: Split) -> dict[str, ScoreValue]:
    """Return all scores of a split; those in another precision bear it in their names."""
    is_public, second = split is Split.PUBLIC, report.quantised
    scores = dict(report.scores if is_public else report.private_scores)
    if second:
        again = second.scores if is_public else second.private_scores
        scores |= {quantised_name(second.precision, metric): value for metric, value in again.items()}
    return scores


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


def _recognised(package: Package | None) -> dict[str, Any]:
    if package is None:
        return {}
    return {"format": package.format.value, "not_formats": storable.plain(package.not_formats)}


def _summary(report: ScoreReport) -> dict[str, Any]:
    return {
        "format": report.format.value,
        "not_formats": storable.plain(report.not_formats),
        "samples": report.samples,
        "breakdown": storable.plain(asdict(report.breakdown)) if report.breakdown else None,
        "quantised": storable.plain(quantised_facts(report.quantised)) if report.quantised else None,
        "timings_s": storable.plain(report.timings_s),
        "isolated": report.isolated,
        "applied": storable.plain(report.applied),
    }
