"""Who is next: fresh entries before rescoring, tracks take turns, then participants.

Whoever was served longest ago comes first, so that a hundred entries of one participant do not
delay the single entry of another by more than one turn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, zip_longest
from typing import Final, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q

from competition.clock import database_now
from competition.submissions import lifecycle
from competition.submissions.locks import lock_participant
from competition.submissions.models import Evaluation
from competition.tracks.differences import Difference, changed_versions, versions_of, versions_with
from competition.tracks.models import BenchmarkVersion
from scoring.contracts import Status
from scoring.environment import entry_environment

# Who was served longer ago than this counts as never served; it bounds what a claim has to read.
FAIRNESS_MEMORY: Final = timedelta(days=1)
NEVER: Final = datetime.min.replace(tzinfo=UTC)

Group = TypeVar("Group", bound=Hashable)
Line = tuple[int, int]
"""A track and a participant: who waits in one line."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An evaluation that waits for a worker."""

    evaluation: int
    track: int
    participant: int
    priority: int
    queued_at: datetime

    @property
    def line(self) -> Line:
        """The line that it waits in."""
        return self.track, self.participant


@dataclass(frozen=True, kw_only=True)
class Served:
    """When tracks and lines were last served."""

    tracks: Mapping[int, datetime]
    lines: Mapping[Line, datetime]


@dataclass(frozen=True, kw_only=True)
class QueueHealth:
    """What the status page shows of the queue; `lost` ones run under an expired lease."""

    queued: int
    running: int
    lost: int
    oldest_queued_s: float
    ended_last_day: int
    median_wait_s: float | None
    p95_wait_s: float | None


# --- order ---------------------------------------------------------------------------------------


def in_order(waiting: Iterable[Waiting], served: Served) -> list[Waiting]:
    """Return who is served after whom, if nobody else comes."""
    by_age = sorted(waiting, key=lambda w: (w.priority, w.queued_at, w.evaluation))
    order: list[Waiting] = []
    for _, rows in groupby(by_age, key=lambda w: w.priority):
        lines_took_turns = take_turns(rows, by=lambda w: w.line, served=served.lines)
        order += take_turns(lines_took_turns, by=lambda w: w.track, served=served.tracks)
    return order


def take_turns(
    waiting: Iterable[Waiting], *, by: Callable[[Waiting], Group], served: Mapping[Group, datetime]
) -> list[Waiting]:
    """Let groups take turns, the one served longest ago first; each keeps its own order."""
    groups: dict[Group, list[Waiting]] = {}
    for row in waiting:
        groups.setdefault(by(row), []).append(row)
    turns = sorted(groups, key=lambda group: served.get(group, NEVER))
    rounds = zip_longest(*(groups[group] for group in turns))
    return [row for one_round in rounds for row in one_round if row is not None]


# --- claim ---------------------------------------------------------------------------------------


def claim_next(
    *, owner: str, queues: Collection[str], environment: Mapping[str, str], now: datetime
) -> lifecycle.Lease | None:
    """Claim the next evaluation of these hardware classes, or return None if there is none.

    `environment` are the packages that the worker runs entries with. What is held to a benchmark version
    that was published under others is not for this worker: it keeps its place and loses no attempt.
    """
    unfit = [version.pk for version, _ in unfit_versions(queues, environment, now)]
    waiting = _waiting(lifecycle.claimable(now) & ~Q(benchmark__in=unfit), queues)
    full = {
        line for line, running in _running(now).items() if running >= settings.MAX_RUNNING_PER_PARTICIPANT
    }
    for candidate in in_order(waiting, _served(now)):
        if candidate.line not in full:
            lease = _claim(candidate, owner=owner, now=now)
            if lease is not None:
                return lease
    return None


@transaction.atomic
def _claim(candidate: Waiting, *, owner: str, now: datetime) -> lifecycle.Lease | None:
    # Counted again under the lock: two workers could else start two entries of one participant.
    lock_participant(candidate.participant)
    running = _running(now, submission__track=candidate.track, submission__participant=candidate.participant)
    if running.get(candidate.line, 0) >= settings.MAX_RUNNING_PER_PARTICIPANT:
        return None
    return lifecycle.claim(candidate.evaluation, owner=owner, now=now)


def unfit_versions(
    queues: Collection[str], environment: Mapping[str, str], now: datetime
) -> list[tuple[BenchmarkVersion, tuple[Difference, ...]]]:
    """Return the benchmark versions that something waits on and that cannot be scored here, with why.

    Two versions of reader, metric or package would otherwise meet on one board.
    """
    rows = Evaluation.objects.filter(lifecycle.claimable(now), submission__track__queue__in=queues)
    versions = BenchmarkVersion.objects.filter(pk__in=rows.order_by().values("benchmark"))
    here = versions_with(environment)
    compared = ((version, changed_versions(versions_of(version), here)) for version in versions)
    return [(version, changes) for version, changes in compared if changes]


def queues_with_work(now: datetime) -> frozenset[str]:
    """Return the hardware classes for which something may be claimed, or was left by a lost worker."""
    rows = Evaluation.objects.filter(lifecycle.claimable(now) | lifecycle.abandoned(now))
    return frozenset(rows.order_by().values_list("submission__track__queue", flat=True).distinct())


def _waiting(condition: Q, queues: Collection[str]) -> list[Waiting]:
    rows = Evaluation.objects.filter(condition, submission__track__queue__in=queues).order_by()
    columns = ("pk", "submission__track_id", "submission__participant_id", "priority", "queued_at")
    return [
        Waiting(evaluation=pk, track=track, participant=participant, priority=priority, queued_at=queued_at)
        for pk, track, participant, priority, queued_at in rows.values_list(*columns)
    ]


def _running(now: datetime, **only: int) -> dict[Line, int]:
    """Return how many evaluations run in each line; a dead worker's expired lease holds no place."""
    rows = Evaluation.objects.filter(status=Status.RUNNING, lease_expires_at__gt=now, **only).order_by()
    counted = rows.values_list("submission__track_id", "submission__participant_id").annotate(n=Count("pk"))
    return {(track, participant): n for track, participant, n in counted}


def _served(now: datetime) -> Served:
    rows = Evaluation.objects.filter(started_at__gt=now - FAIRNESS_MEMORY).order_by()
    lines = {
        (track, participant): last
        for track, participant, last in rows.values_list(
            "submission__track_id", "submission__participant_id"
        ).annotate(last=Max("started_at"))
    }
    tracks: dict[int, datetime] = {}
    for (track, _), last in lines.items():
        tracks[track] = max(last, tracks.get(track, last))
    return Served(tracks=tracks, lines=lines)


# --- what people see -----------------------------------------------------------------------------


def position(evaluation: Evaluation, *, now: datetime | None = None) -> int | None:
    """Return the evaluation's place in its hardware class's queue, 1 being next; None if it does not wait."""
    if evaluation.status != Status.QUEUED:
        return None
    order = in_order(
        _waiting(Q(status=Status.QUEUED), (evaluation.submission.track.queue,)),
        _served(now or database_now()),
    )
    places = {waiting.evaluation: place for place, waiting in enumerate(order, start=1)}
    return places.get(evaluation.pk)


def waits_for_publishing(evaluation: Evaluation) -> bool:
    """Say whether only a new benchmark version gets the evaluation scored: Podium or its packages were upgraded."""
    if evaluation.status != Status.QUEUED:
        return False
    return bool(changed_versions(versions_of(evaluation.benchmark), versions_with(entry_environment())))


def health(now: datetime) -> QueueHealth:
    """Return how the queue does; waits are from upload to result over the last day."""
    rows = Evaluation.objects.order_by()
    queued = rows.filter(status=Status.QUEUED)
    running = rows.filter(status=Status.RUNNING)
    oldest = queued.order_by("queued_at").values_list("queued_at", flat=True).first()
    waits = _waits_s(now)
    return QueueHealth(
        queued=queued.count(),
        running=running.filter(lease_expires_at__gt=now).count(),
        lost=running.filter(lease_expires_at__lte=now).count(),
        oldest_queued_s=0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()),
        ended_last_day=len(waits),
        median_wait_s=_quantile(waits, 0.5),
        p95_wait_s=_quantile(waits, 0.95),
    )


def _waits_s(now: datetime) -> list[float]:
    ended = Evaluation.objects.filter(
        status__in=(Status.SCORED, Status.REJECTED),
        priority=Evaluation.Priority.FRESH,
        finished_at__gt=now - timedelta(days=1),
    ).order_by()
    times = ended.values_list("submission__created_at", "finished_at")
    return sorted((finished - created).total_seconds() for created, finished in times if finished)


def _quantile(ordered: list[float], share: float) -> float | None:
    """Return the smallest value that at least this share of all does not exceed."""
    if not ordered:
        return None
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
