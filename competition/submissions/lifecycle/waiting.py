"""Keeps lines and lanes in step with the evaluations that wait, in the transaction that changes a status.

Locks are taken in this order: participant, line, evaluation. Whoever holds a line sees all that waits in it, and
what is written about it is still true when the transaction ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar, cast

from django.db import transaction
from django.db.models import Count, Max, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from competition.submissions.lines import NEVER, Lane, Line
from competition.submissions.models import Evaluation, Submission
from competition.submissions.quarantined import quarantined
from scoring.contracts import Status

BATCH: Final = 500
ALIVE: Final = (Status.QUEUED, Status.RUNNING)

Kind = tuple[int, int, int, int]
Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")


# --- locks ---------------------------------------------------------------------------------------


def hold_line(evaluation: int) -> int:
    """Lock the line of an evaluation until the transaction ends, and return it."""
    line: int | None = Evaluation.objects.values_list("lane__line", flat=True).get(pk=evaluation)
    if line is None:
        _put_in_line([Evaluation.objects.select_related("submission").get(pk=evaluation)])
        return hold_line(evaluation)
    lock_lines({line})
    return line


def hold_line_of(submission: Submission) -> int:
    """Lock the line of a submission, which may be empty, until the transaction ends, and return it."""
    pair = (submission.track_id, submission.participant_id)
    line = _lines_of({pair})[pair].pk
    lock_lines({line})
    return line


def seize_line(line: int) -> bool:
    """Lock a line unless somebody else holds it; say whether that went well."""
    free = Line.objects.select_for_update(no_key=True, skip_locked=True)
    return free.filter(pk=line).values_list("pk").first() is not None


def lock_lines(lines: Collection[int]) -> None:
    """Lock several lines until the transaction ends."""
    # In one order, so that two who need several never wait for each other.
    rows = Line.objects.select_for_update(no_key=True).filter(pk__in=lines).order_by("pk")
    list(rows.values_list("pk"))


# --- who comes and goes --------------------------------------------------------------------------


@transaction.atomic
def enter(evaluations: Iterable[Evaluation]) -> int:
    """Write new evaluations and let them wait, each in its line; return how many there are."""
    entering = list(evaluations)
    lanes = _lanes_of(entering)
    for evaluation in entering:
        evaluation.lane = lanes[_kind(evaluation)]
    Evaluation.objects.bulk_create(entering, batch_size=BATCH)
    # Locks come last: a track that is scored again keeps nobody waiting while its rows are written.
    lock_lines({lane.line_id for lane in lanes.values()})
    for batch in batches(sorted(lanes.values(), key=lambda lane: lane.pk)):
        refresh({lane.pk for lane in batch}, {lane.line_id for lane in batch})
    return len(entering)


def serve(line: int, row: Evaluation, *, now: datetime) -> None:
    """Note that a row of a held line is begun."""
    Line.objects.filter(pk=line).update(served_at=now)
    refresh({_lane_of(row)}, {line})


def leave(row: Evaluation) -> None:
    """Note that a row of a held line waits no longer, without having been served."""
    refresh({_lane_of(row)}, set())


def come_back(row: Evaluation) -> None:
    """Note that a row of a held line waits again; its turn was none."""
    lines = Line.objects.filter(lanes=row.lane_id)
    lines.update(served_at=last_served(row))
    refresh({_lane_of(row)}, set(lines.values_list("pk", flat=True)))


def _lane_of(row: Evaluation) -> int:
    """Return the lane of a row whose line is held: holding it took the row in."""
    return cast(int, row.lane_id)


def strays() -> QuerySet[Evaluation]:
    """Return what is alive and in no line: an earlier release of Podium left it there."""
    return Evaluation.objects.filter(status__in=ALIVE, lane=None).order_by("pk")


def take_in() -> int:
    """Let strays wait in line, a batch of them; return how many there were."""
    found = list(strays().select_related("submission").only("submission", "benchmark", "priority")[:BATCH])
    _put_in_line(found)
    return len(found)


@transaction.atomic
def _put_in_line(rows: Sequence[Evaluation]) -> None:
    lanes = _lanes_of(rows)
    lock_lines({lane.line_id for lane in lanes.values()})
    for row in rows:
        row.lane = lanes[_kind(row)]
    Evaluation.objects.bulk_update(rows, ["lane"])
    refresh({lane.pk for lane in lanes.values()}, ())


def last_served(row: Evaluation) -> datetime:
    """Return when the row's line was last served; what was given back does not count."""
    of_line = Evaluation.objects.filter(
        submission__track=row.submission.track_id, submission__participant=row.submission.participant_id
    )
    last: datetime | None = of_line.aggregate(last=Max("started_at"))["last"]
    return last or NEVER


def refresh(lanes: Collection[int], lines: Collection[int]) -> None:
    """Write of these lanes, and of all others in these lines that hold something, what is true of them."""
    Lane.objects.filter(Q(pk__in=lanes) | Q(line__in=lines, waiting__gt=0)).update(**truth_of_lanes())


def truth_of_lanes() -> dict[str, Subquery | Coalesce]:
    """Return what the columns of a lane must be, told from evaluations and lines."""
    waiting = Evaluation.objects.filter(~quarantined(), lane=OuterRef("pk"), status=Status.QUEUED)
    first = waiting.order_by("queued_at", "pk")
    number = waiting.order_by().values("lane").annotate(number=Count("pk")).values("number")
    return {
        "waiting": Coalesce(Subquery(number), 0),
        "next_queued_at": Subquery(first.values("queued_at")[:1]),
        "next_evaluation": Subquery(first.values("pk")[:1]),
        "served_at": Subquery(Line.objects.filter(pk=OuterRef("line")).values("served_at")[:1]),
    }


# --- lines and lanes of evaluations --------------------------------------------------------------


def _kind(evaluation: Evaluation) -> Kind:
    """Return what decides a lane: track, participant, benchmark version, priority."""
    submission = evaluation.submission
    return submission.track_id, submission.participant_id, evaluation.benchmark_id, evaluation.priority


def _lanes_of(evaluations: Sequence[Evaluation]) -> dict[Kind, Lane]:
    """Return the lanes of evaluations; those that are missing are made."""
    lanes: dict[Kind, Lane] = {}
    for kinds in batches(sorted({_kind(evaluation) for evaluation in evaluations})):
        lines = _lines_of({(track, participant) for track, participant, *_ in kinds})
        keys = {kind: (lines[kind[:2]].pk, *kind[2:]) for kind in kinds}
        wanted = {
            (line, benchmark, priority): Lane(line_id=line, benchmark_id=benchmark, priority=priority)
            for line, benchmark, priority in keys.values()
        }
        found = _ensure(wanted, partial(_lanes_in, {line for line, *_ in wanted}))
        lanes |= {kind: found[key] for kind, key in keys.items()}
    return lanes


def _lanes_in(lines: Collection[int]) -> dict[tuple[int, int, int], Lane]:
    rows = Lane.objects.filter(line__in=lines)
    return {(row.line_id, row.benchmark_id, row.priority): row for row in rows}


def _lines_of(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], Line]:
    wanted = {pair: Line(track_id=pair[0], participant_id=pair[1]) for pair in pairs}
    return _ensure(wanted, partial(_lines_for, pairs))


def _lines_for(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], Line]:
    tracks, participants = zip(*pairs, strict=True)
    rows = Line.objects.filter(track__in=set(tracks), participant__in=set(participants))
    return {(row.track_id, row.participant_id): row for row in rows}


def _ensure(wanted: Mapping[Key, Row], read: Callable[[], dict[Key, Row]]) -> dict[Key, Row]:
    """Return the rows that are read, after those that are wanted and missing were made, by us or by others."""
    found = read()
    missing = [row for key, row in wanted.items() if key not in found]
    if not missing:
        return found
    type(missing[0])._default_manager.bulk_create(missing, ignore_conflicts=True)
    return read()


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield the items in turn, so many at a time."""
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
