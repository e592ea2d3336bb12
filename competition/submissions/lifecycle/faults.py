"""What a fault of ours means for an evaluation: how long it rests, who leaves it to others, when it has failed.

Trouble that all entries share (see `scoring.errors.SHARED`) costs no attempt, and no entry fails for it. Other
faults may be the entry's doing, or that of a machine which is unwell. An evaluation fails for good only when the
machines that met the faults have scored others since.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from django.conf import settings
from django.db.models import Q

from competition.submissions import workers
from competition.submissions.models import Evaluation, EvaluationFault, Worker
from competition.submissions.workers import machine_of
from scoring.contracts import Status
from scoring.errors import Cause

RETRY_DELAY: Final = timedelta(seconds=15)
LONGEST_DELAY: Final = timedelta(minutes=10)
SHARED_DELAY: Final = timedelta(seconds=5)
LONGEST_SHARED_DELAY: Final = timedelta(seconds=30)
LEFT_TO_OTHERS_FOR: Final = timedelta(minutes=10)
"""How long a machine leaves an evaluation on which it failed to others, if there are any."""
ALONE_FOR: Final = timedelta(hours=1)
"""Within this time, the faults of a machine that is alone may be due to the machine."""
TRIED_FOR: Final = timedelta(days=1)
"""After this time nobody is left waiting any more, whether the machines scored others or not."""


def note_fault(
    evaluation: Evaluation, *, worker: str, cause: Cause, reference: str, at: datetime
) -> tuple[EvaluationFault, ...]:
    """Write the fault down; return all that the evaluation met, in their order."""
    machine = machine_of(worker)
    EvaluationFault.objects.create(
        evaluation=evaluation, worker=worker, machine=machine, cause=cause, reference=reference, at=at
    )
    return tuple(evaluation.faults.all())


def rest_after(faults: Sequence[EvaluationFault]) -> timedelta:
    """Return how long the evaluation rests after the last of its faults.

    It rests after shared trouble too: another entry then shows first whether the trouble is over.
    """
    counted = [fault for fault in faults if fault.counts]
    if not faults[-1].counts:
        in_a_row = sum(1 for _ in takewhile(lambda fault: not fault.counts, reversed(faults)))
        return _doubled(SHARED_DELAY, in_a_row - 1, most=LONGEST_SHARED_DELAY)
    if faults[-1].cause == Cause.LOST_WORKER and len(counted) == 1:
        return timedelta(0)  # it waited for the lease to expire
    return _doubled(RETRY_DELAY, len(counted) - 1, most=LONGEST_DELAY)


def have_failed_it(evaluation: Evaluation, faults: Sequence[EvaluationFault], now: datetime) -> bool:
    """Say whether these faults, the last one just met, end the evaluation."""
    counted = [fault for fault in faults if fault.counts]
    if not counted or not faults[-1].counts or len(counted) < settings.MAX_ATTEMPTS:
        return False
    age = now - counted[0].at
    if age >= TRIED_FOR:
        return True
    well = _well_since(evaluation, counted)
    return len(well) > 1 or (len(well) == 1 and age >= ALONE_FOR and not _others(evaluation, well, now))


def left_to_others(*, owner: str, now: datetime) -> set[int]:
    """Return what waits and is left to others by the owner's machine."""
    failed = EvaluationFault.objects.filter(
        machine=machine_of(owner), at__gt=now - LEFT_TO_OTHERS_FOR, evaluation__status=Status.QUEUED
    )
    found = set(failed.order_by().values_list("evaluation", flat=True))
    return {each for each in found if is_left_to_others(each, owner=owner, now=now)}


def is_left_to_others(evaluation: int, *, owner: str, now: datetime) -> bool:
    """Say whether the owner's machine failed on it lately, and another works that did not."""
    recent = EvaluationFault.objects.filter(evaluation=evaluation, at__gt=now - LEFT_TO_OTHERS_FOR)
    queue_of = dict(recent.order_by().values_list("machine", "evaluation__submission__track__queue"))
    if machine_of(owner) not in queue_of:
        return False
    queue = queue_of[machine_of(owner)]
    return bool(workers.machines(queue, now, Worker.State.SERVING) - queue_of.keys())


def _doubled(first: timedelta, times: int, *, most: timedelta) -> timedelta:
    factor: int = 2 ** min(times, 10)
    return min(first * factor, most)


def _well_since(evaluation: Evaluation, counted: Sequence[EvaluationFault]) -> set[str]:
    """Return the machines that began and scored something else after their first fault on the evaluation."""
    first = {fault.machine: fault.at for fault in reversed(counted)}
    return {machine for machine, at in first.items() if _scored_another(evaluation, machine, at)}


def _scored_another(evaluation: Evaluation, machine: str, since: datetime) -> bool:
    by_machine = Q(lease_owner=machine) | Q(lease_owner__startswith=f"{machine}:")
    scored = Evaluation.objects.filter(by_machine, status=Status.SCORED, started_at__gt=since)
    return scored.exclude(submission=evaluation.submission_id).exists()


def _others(evaluation: Evaluation, machines: set[str], now: datetime) -> set[str]:
    queue = evaluation.submission.track.queue
    return workers.machines(queue, now, Worker.State.SERVING, Worker.State.RESTING) - machines
