"""Who is next: fresh entries before rescoring, tracks take turns, then participants.

Whoever was served longest ago comes first, so that a hundred entries of one participant do not delay the single
entry of another by more than one turn. `lines` holds this order as rows; a claim reads the first lane of each
benchmark version, however much waits. The versions of paused tracks are left out, and what is in quarantine is in no
lane. Where a lane's first is set aside, since it rests after a fault of ours or is
left to other machines, the claim looks behind it; there are few of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from competition.submissions import lifecycle, workers
from competition.submissions.lines import ORDER, Lane, Line
from competition.submissions.models import Evaluation, Worker
from competition.submissions.quarantined import quarantine_of
from competition.tracks.differences import Difference, changed_versions, versions_of, versions_with
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import Status
from scoring.environment import entry_environment

MEMORY: Final = "spec__run_limits__max_memory_bytes"
"""What a benchmark version lets a run have: the memory that it asks of a worker."""


@dataclass(frozen=True, kw_only=True, order=True)
class Candidate:
    """An evaluation that may be begun. Of several, the least is next: the fields stand in the order that decides."""

    priority: int
    track_served_at: datetime
    line_served_at: datetime
    queued_at: datetime
    evaluation: int
    line: int


# --- claim ---------------------------------------------------------------------------------------


def claim_next(
    *,
    owner: str,
    queues: Collection[str],
    environment: Mapping[str, str],
    now: datetime,
    memory_bytes: int | None = None,
) -> lifecycle.Lease | None:
    """Claim the next evaluation of these hardware classes, or return None if there is none.

    `environment` are the packages that the worker runs entries with, `memory_bytes` what a run may have there; None
    stands for as much as it takes. What is held to a benchmark version that was published under other packages, or
    lets its runs have more memory, is not for this worker: it keeps its place and loses no attempt.
    """
    versions = _fit_versions(queues, environment, memory_bytes)
    passed_over = _full_lines(now)
    aside = lifecycle.left_to_others(owner=owner, now=now)
    while not workers.is_asked_to_drain(owner):
        candidate = _first(versions, without=passed_over, aside=aside, now=now)
        if candidate is None:
            return None
        lease = _claim(candidate, owner=owner, now=now)
        if lease is not None:
            return lease
        passed_over.add(candidate.line)
    return None


@transaction.atomic
def _claim(candidate: Candidate, *, owner: str, now: datetime) -> lifecycle.Lease | None:
    # Whoever holds the line serves it, or changes what waits in it: others have waited as long.
    if not lifecycle.seize_line(candidate.line):
        return None
    if not workers.hold_to_claim(owner):
        return None
    # Counted again under the lock: two workers could else start two entries of one participant.
    if _at_work(now).filter(lane__line=candidate.line).count() >= settings.MAX_RUNNING_PER_PARTICIPANT:
        return None
    return lifecycle.claim(candidate.evaluation, owner=owner, now=now, held=candidate.line)


def _at_work(now: datetime) -> QuerySet[Evaluation]:
    """Return what is worked on; a dead worker's expired lease holds no place."""
    return Evaluation.objects.filter(status=Status.RUNNING, lease_expires_at__gt=now).order_by()


def _full_lines(now: datetime) -> set[int]:
    """Return the lines in which as much runs as may; workers are few, and so are these."""
    running = Counter(_at_work(now).values_list("lane__line", flat=True))
    return {line for line, number in running.items() if number >= settings.MAX_RUNNING_PER_PARTICIPANT}


# --- order ---------------------------------------------------------------------------------------


def _first(
    versions: Collection[int], *, without: Collection[int], aside: Collection[int], now: datetime
) -> Candidate | None:
    """Return the next evaluation on these benchmark versions, without some lines and some evaluations."""
    if not versions:
        return None
    set_aside = Evaluation.objects.filter(Q(not_before__gt=now) | Q(pk__in=aside), status=Status.QUEUED)
    lanes = set(set_aside.order_by().values_list("lane", flat=True))
    found = _heads(versions, lines=without, lanes=lanes)
    if lanes:
        found += _candidates(_behind(lanes, versions, aside, now), without=without)
    return min(found, default=None)


def _heads(versions: Collection[int], *, lines: Collection[int], lanes: Collection[int]) -> list[Candidate]:
    """Return the first of all lanes but some, if there is one: an index look-up for each version."""
    others = _waiting("benchmark").exclude(line__in=lines).exclude(pk__in=lanes)
    first = Subquery(others.order_by(*ORDER).values("pk")[:1])
    heads = BenchmarkVersion.objects.filter(pk__in=versions).order_by().annotate(head=first).values("head")
    rows = Lane.objects.filter(pk__in=heads).annotate(track_served_at=_last_service("line__track"))
    columns = ("priority", "track_served_at", *ORDER[1:])
    return [_candidate(*row) for row in rows.order_by(*columns).values_list(*columns, "line")[:1]]


def _candidates(evaluations: QuerySet[Evaluation], *, without: Collection[int]) -> list[Candidate]:
    rows = evaluations.exclude(lane__line__in=without).annotate(
        track_served_at=_last_service("lane__line__track")
    )
    columns = ("priority", "track_served_at", "lane__line__served_at", "queued_at", "pk", "lane__line")
    return [_candidate(*row) for row in rows.values_list(*columns)]


def _candidate(
    priority: int,
    track_served_at: datetime,
    line_served_at: datetime,
    queued_at: datetime,
    evaluation: int,
    line: int,
) -> Candidate:
    return Candidate(
        priority=priority,
        track_served_at=track_served_at,
        line_served_at=line_served_at,
        queued_at=queued_at,
        evaluation=evaluation,
        line=line,
    )


def _last_service(track: str) -> Subquery:
    lines = Line.objects.filter(track=OuterRef(track)).order_by("-served_at")
    return Subquery(lines.values("served_at")[:1])


def _behind(
    lanes: Collection[int], versions: Collection[int], aside: Collection[int], now: datetime
) -> QuerySet[Evaluation]:
    """Return the first evaluation of each of these lanes that is not set aside."""
    due = Evaluation.objects.filter(lifecycle.claimable(now), lane=OuterRef("pk")).exclude(pk__in=aside)
    first = Subquery(due.order_by("queued_at", "pk").values("pk")[:1])
    rows = Lane.objects.filter(pk__in=lanes, benchmark__in=versions).annotate(first=first)
    return Evaluation.objects.filter(pk__in=rows.values("first")).order_by()


# --- what workers can score ----------------------------------------------------------------------


def unfit_versions(
    queues: Collection[str], environment: Mapping[str, str]
) -> list[tuple[BenchmarkVersion, tuple[Difference, ...]]]:
    """Return the benchmark versions that something waits on and that cannot be scored here, with why.

    Two versions of reader, metric or package would otherwise meet on one board.
    """
    return [(version, changes) for version, changes in _compared(queues, environment) if changes]


def too_large_versions(queues: Collection[str], memory_bytes: int | None) -> list[BenchmarkVersion]:
    """Return the benchmark versions that something waits on and whose runs may take more memory."""
    if memory_bytes is None:
        return []
    return list(
        _awaited(queues).filter(**{f"{MEMORY}__gt": memory_bytes}).select_related("track").defer("spec")
    )


def _fit_versions(
    queues: Collection[str], environment: Mapping[str, str], memory_bytes: int | None
) -> list[int]:
    too_large = {version.pk for version in too_large_versions(queues, memory_bytes)}
    fit = [version.pk for version, changes in _compared(queues, environment) if not changes]
    return [version for version in fit if version not in too_large]


def _compared(
    queues: Collection[str], environment: Mapping[str, str]
) -> list[tuple[BenchmarkVersion, tuple[Difference, ...]]]:
    here = versions_with(environment)
    return [
        (version, changed_versions(versions_of(version), here)) for version in _awaited(queues).defer("spec")
    ]


def _awaited(queues: Collection[str]) -> QuerySet[BenchmarkVersion]:
    """Return the versions of tracks that are not paused on which something waits."""
    return BenchmarkVersion.objects.filter(
        Exists(_waiting("benchmark")), track__queue__in=queues, track__paused_at=None
    )


def queues_with_work(now: datetime) -> frozenset[str]:
    """Return the hardware classes for which something waits, or was left by a lost worker.

    What waits on a paused track is not for anybody.
    """
    left = Evaluation.objects.filter(lifecycle.abandoned(now)).values("submission__track")
    waiting = Q(Exists(_waiting("benchmark__track")), paused_at=None)
    tracks = Track.objects.filter(waiting | Q(pk__in=left)).order_by()
    return frozenset(tracks.values_list("queue", flat=True).distinct())


def _waiting(what: str) -> QuerySet[Lane]:
    return Lane.objects.filter(waiting__gt=0, **{what: OuterRef("pk")})


def waits_for_publishing(evaluation: Evaluation) -> bool:
    """Say whether only a new benchmark version gets the evaluation scored: Podium or its packages were upgraded."""
    if evaluation.status != Status.QUEUED:
        return False
    return bool(changed_versions(versions_of(evaluation.benchmark), versions_with(entry_environment())))


def is_held(evaluation: Evaluation) -> bool:
    """Say whether organisers or operators hold up what waits: its track is paused, or it is in quarantine."""
    submission = evaluation.submission
    return submission.track.paused_at is not None or quarantine_of(submission) is not None


def missing_service(evaluation: Evaluation, now: datetime) -> workers.Service | None:
    """Return since when the evaluation waits for a worker to be there at all; None if one is, or if it does not wait.

    Only a worker counts that has the packages which its benchmark version was published under, and enough memory.
    """
    if evaluation.status != Status.QUEUED or is_held(evaluation) or waits_for_publishing(evaluation):
        return None
    service = workers.service(
        evaluation.submission.track.queue, now, fits=lambda worker: _can_score(worker, evaluation.benchmark)
    )
    return None if service.is_served else service


def _can_score(worker: Worker, version: BenchmarkVersion) -> bool:
    needed_bytes = version.spec.get("run_limits", {}).get("max_memory_bytes", 0)
    has_memory = worker.memory_bytes is None or worker.memory_bytes >= needed_bytes
    return has_memory and not changed_versions(versions_of(version), versions_with(worker.environment))
