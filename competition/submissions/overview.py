"""What operators look at: workers, queues by track, faults and rejections of the last day, what failed or is held up.

Each part is one query or two, however much there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from statistics import median
from typing import Any, Final, NamedTuple

from django.db.models import Count, Min, Q, QuerySet, Sum

from competition.clock import TOLERATED_S
from competition.submissions import workers
from competition.submissions.lines import Lane
from competition.submissions.models import Evaluation, EvaluationFault, Quarantine, Worker
from competition.tracks.models import Track
from scoring.contracts import Status
from scoring.environment import entry_environment

DAY: Final = timedelta(days=1)
MOST_RUNS: Final = 2_000
"""Of how many runs at most, the last ones, their length is told."""
MOST_FAULTS: Final = 5_000
MOST_ROWS: Final = 50
"""How many of a list are shown."""


class PackageDifference(NamedTuple):
    """A package that entries would run with in another version; empty where site or worker lack it."""

    name: str
    site: str
    worker: str


class Rejections(NamedTuple):
    """How often a code was given."""

    code: str
    number: int


@dataclass(frozen=True, kw_only=True)
class WorkerRow:
    """A worker, what it works on by its lease, and where it differs from the site. One that vanished has no state."""

    worker: Worker
    state: Worker.State | None
    evaluation: Evaluation | None
    is_other_version: bool
    packages: tuple[PackageDifference, ...]

    @property
    def has_wrong_clock(self) -> bool:
        """Say whether the worker's clock differs by more than is tolerated."""
        return abs(self.worker.clock_ahead_s or 0.0) > TOLERATED_S


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    """What waits on a track. `wait_s` is until the last of the fresh ones is begun; None where nobody can tell."""

    track: Track
    fresh: int
    again: int
    oldest_s: float | None
    wait_s: float | None
    is_served: bool


@dataclass(frozen=True, kw_only=True)
class FaultRow:
    """The faults of the last day with one cause, and the last of them."""

    cause: str
    number: int
    last: EvaluationFault


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All of it, at one moment; `failed` and `quarantined` are the newest of so many."""

    now: datetime
    version: str
    workers: list[WorkerRow]
    queues: list[QueueRow]
    faults: list[FaultRow]
    rejections: list[Rejections]
    failed: list[Evaluation]
    failed_number: int
    quarantined: list[Quarantine]
    quarantined_number: int


def overview(now: datetime) -> Overview:
    """Return what operators look at."""
    alive = workers.alive(now)
    failed = Evaluation.objects.filter(status=Status.FAILED).order_by("-finished_at")
    quarantined = Quarantine.objects.all()
    return Overview(
        now=now,
        version=version("podium"),
        workers=[*_workers(alive), *map(_vanished, workers.vanished(now)[:MOST_ROWS])],
        queues=_queues(alive, now),
        faults=_faults(now),
        rejections=_rejections(now),
        failed=list(
            failed.select_related("submission__track", "submission__participant", "benchmark")[:MOST_ROWS]
        ),
        failed_number=failed.count(),
        quarantined=list(
            quarantined.select_related("submission__track", "submission__participant")[:MOST_ROWS]
        ),
        quarantined_number=quarantined.count(),
    )


# --- workers -------------------------------------------------------------------------------------


def _workers(alive: list[Worker]) -> list[WorkerRow]:
    running = Evaluation.objects.filter(
        status=Status.RUNNING, lease_owner__in=[worker.name for worker in alive]
    )
    works_on = {row.lease_owner: row for row in running.select_related("submission__track")}
    here, packages = version("podium"), entry_environment()
    return [
        WorkerRow(
            worker=worker,
            state=_state(worker, works_on.get(worker.name)),
            evaluation=works_on.get(worker.name),
            is_other_version=worker.version != here,
            packages=tuple(_differing(packages, worker.environment)),
        )
        for worker in alive
    ]


def _vanished(worker: Worker) -> WorkerRow:
    return WorkerRow(worker=worker, state=None, evaluation=None, is_other_version=False, packages=())


def _state(worker: Worker, evaluation: Evaluation | None) -> Worker.State:
    is_done = worker.present_state is Worker.State.DRAINING and evaluation is None
    return Worker.State.DRAINED if is_done else worker.present_state


def _differing(site: Mapping[str, str], worker: Mapping[str, str]) -> Iterator[PackageDifference]:
    if not worker:  # it has not told yet
        return
    for name in sorted(site.keys() | worker.keys()):
        found = PackageDifference(name, site.get(name, ""), worker.get(name, ""))
        if found.site != found.worker:
            yield found


# --- queues --------------------------------------------------------------------------------------


def _queues(alive: list[Worker], now: datetime) -> list[QueueRow]:
    """Return the tracks on which something waits, or that are paused."""
    rescore = Evaluation.Priority.RESCORE
    waiting = Lane.objects.filter(waiting__gt=0).order_by().values("benchmark__track")
    counted = {
        row["benchmark__track"]: row
        for row in waiting.annotate(
            number=Sum("waiting"),
            again=Sum("waiting", filter=Q(priority=rescore), default=0),
            oldest=Min("next_queued_at"),
        )
    }
    shown = Q(pk__in=counted) | Q(paused_at__isnull=False)
    tracks = Track.objects.filter(shown).select_related("competition").order_by("queue", "slug")
    fresh = {track.pk: _fresh(counted.get(track.pk)) for track in tracks}
    serving = _serving(alive)
    run_s = _run_s(now) if any(fresh.values()) else {}
    return [
        QueueRow(
            track=track,
            fresh=fresh[track.pk],
            again=counted[track.pk]["again"] if track.pk in counted else 0,
            oldest_s=_age_s(counted[track.pk]["oldest"], now) if track.pk in counted else None,
            wait_s=_wait_s(track, tracks, fresh, run_s, serving[track.queue]),
            is_served=serving[track.queue] > 0,
        )
        for track in tracks
    ]


def _fresh(counted: Any) -> int:
    """Return how many of a row of counts are not scored again."""
    return int(counted["number"] - counted["again"]) if counted else 0


def _serving(alive: list[Worker]) -> dict[str, int]:
    """Return how many workers each hardware class has; one that rests will be back."""
    there: dict[str, int] = defaultdict(int)
    for worker in alive:
        if worker.present_state in (Worker.State.SERVING, Worker.State.RESTING):
            for queue in worker.queues:
                there[queue] += 1
    return there


def _run_s(now: datetime) -> dict[int, float]:
    """Return how long a run takes on each track, by the median of those that ended in the last day."""
    ended = Evaluation.objects.filter(
        status__in=(Status.SCORED, Status.REJECTED), finished_at__gt=now - DAY, started_at__isnull=False
    ).order_by("-finished_at")
    runs: dict[int, list[float]] = defaultdict(list)
    for track, start, end in ended.values_list("submission__track", "started_at", "finished_at")[:MOST_RUNS]:
        if start and end:  # as the rows were chosen
            runs[track].append((end - start).total_seconds())
    return {track: median(each) for track, each in runs.items()}


def _wait_s(
    track: Track,
    tracks: QuerySet[Track],
    fresh: Mapping[int, int],
    run_s: Mapping[int, float],
    serving: int,
) -> float | None:
    """Return in how many seconds the last fresh entry of the track is begun, since tracks take turns.

    None if nothing waits, nobody serves it, it is paused, or no run of a track in its way has ended lately.
    """
    turns = fresh[track.pk]
    if not turns or not serving or track.paused_at is not None:
        return None
    in_the_way = [
        each for each in tracks if each.queue == track.queue and each.paused_at is None and fresh[each.pk]
    ]
    if any(each.pk not in run_s for each in in_the_way):
        return None
    return sum(min(turns, fresh[each.pk]) * run_s[each.pk] for each in in_the_way) / serving


def _age_s(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())


# --- what went wrong -----------------------------------------------------------------------------


def _faults(now: datetime) -> list[FaultRow]:
    """Return the faults of the last day by cause, the most frequent first."""
    recent = EvaluationFault.objects.filter(at__gt=now - DAY).order_by("-at", "-pk")
    by_cause: dict[str, list[EvaluationFault]] = defaultdict(list)
    for fault in recent.select_related("evaluation__submission")[:MOST_FAULTS]:
        by_cause[fault.cause].append(fault)
    rows = [FaultRow(cause=cause, number=len(each), last=each[0]) for cause, each in by_cause.items()]
    return sorted(rows, key=lambda row: (-row.number, row.cause))


def _rejections(now: datetime) -> list[Rejections]:
    """Return how often each code was given in the last day, the most frequent first."""
    rows = Evaluation.objects.filter(status=Status.REJECTED, finished_at__gt=now - DAY)
    counted = rows.order_by().values_list("code").annotate(number=Count("pk"))
    return sorted((Rejections(*row) for row in counted), key=lambda row: (-row.number, row.code))
