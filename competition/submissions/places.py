"""The place in the queue that people see: exact near the front and in a small queue, else about.

It is told from lanes, never from all that waits. What waits on a paused track is before nobody else; it is told its
own place as if the track were not paused. A large queue is summed up a few times a minute for everybody
who asks; who stands before one is looked up each time, as long as that is near the front.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from django.core.cache import cache
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from competition.submissions.crowds import Crowd, Key, place
from competition.submissions.lines import NEVER, ORDER, Lane, Line
from competition.submissions.models import Evaluation
from competition.submissions.quarantined import quarantined
from competition.tracks.models import Track
from scoring.contracts import Status

SMALL: Final = 300
"""Up to so many lanes are read for whoever asks, and every place is exact."""
NEAR: Final = 100
SAMPLE: Final = 100
SUMMED_UP_FOR_S: Final = 10
DIGITS: Final = 2
"""How many are told of a place that is not exact."""
KEY: Final = ORDER[1:]

Crowds = Mapping[tuple[int, int], Crowd]
"""By priority and track."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place in a hardware class's queue, 1 being next. One that is not exact is rounded."""

    number: int
    is_exact: bool

    @property
    def words(self) -> str:
        """Return it as a sentence says it: “12”, “about 41,000”."""
        return f"{self.number:,}" if self.is_exact else f"about {self.number:,}"


@dataclass(frozen=True, kw_only=True)
class _TrackInQueue:
    """What of a track decides when what waits on it is begun."""

    served_at: datetime = NEVER
    is_paused: bool = False


def place_of(evaluation: Evaluation) -> Place | None:
    """Return an evaluation's place; None if it does not wait."""
    if evaluation.status != Status.QUEUED or evaluation.lane is None:
        return None
    own = Lane.objects.filter(line=evaluation.lane.line_id, priority=evaluation.priority, waiting__gt=0)
    keys = {pk: tuple(key) for pk, *key in own.values_list("pk", *KEY)}
    rounds = _ahead_in_line(evaluation, keys)
    if rounds is None:
        return None
    key, kind = min(keys.values()), (evaluation.priority, evaluation.submission.track_id)
    found, is_exact = _crowds(evaluation.submission.track.queue)
    crowds = {each: crowd for each, crowd in found.items() if not crowd.is_paused or each[1] == kind[1]}
    mine = crowds.get(kind) or _crowd(_TrackInQueue(), [(key, 1)])
    before = mine.before(key, rounds)
    near = None if is_exact or rounds else _near_front(evaluation)
    number = place(
        mine,
        before if near is None else near,
        others=[crowd for other, crowd in crowds.items() if other[0] == kind[0] and other != kind],
        more_urgent=[crowd for (priority, _), crowd in crowds.items() if priority < kind[0]],
    )
    if is_exact or near is not None:
        return Place(number=number, is_exact=True)
    return Place(number=_rounded(number), is_exact=False)


def _rounded(number: int) -> int:
    return round(number, min(0, DIGITS - len(str(number))))


def _ahead_in_line(evaluation: Evaluation, lanes: Iterable[int]) -> int | None:
    """Return how many of one's own come before; None if the evaluation has left since it was read."""
    earlier = Q(queued_at__lt=evaluation.queued_at) | Q(queued_at=evaluation.queued_at, pk__lt=evaluation.pk)
    waiting = Evaluation.objects.filter(~quarantined(), lane__in=lanes, status=Status.QUEUED)
    found = waiting.aggregate(
        ahead=Count("pk", filter=earlier), there=Count("pk", filter=Q(pk=evaluation.pk))
    )
    return found["ahead"] if found["there"] else None


def _near_front(evaluation: Evaluation) -> int | None:
    """Return how many lines of the track come first, if these are few."""
    same = Lane.objects.filter(benchmark=evaluation.benchmark_id, priority=evaluation.priority, waiting__gt=0)
    first = list(same.order_by(*KEY).values_list("pk", flat=True)[:NEAR])
    return first.index(evaluation.lane_id) if evaluation.lane_id in first else None


# --- crowds --------------------------------------------------------------------------------------


def _crowds(queue: str) -> tuple[Crowds, bool]:
    """Return the crowds of a hardware class, and whether they are whole and of this moment."""
    name = f"queue-summed-up:{queue}"
    kept: Crowds | None = cache.get(name)
    if kept is not None:
        return kept, False
    whole = _whole(queue)
    if whole is not None:
        return whole, True
    summed_up = _summed_up(queue)
    cache.set(name, summed_up, SUMMED_UP_FOR_S)
    return summed_up, False


def _whole(queue: str) -> Crowds | None:
    """Return the crowds of a small queue from all of its lanes."""
    rows = list(
        _waiting(queue).values_list("priority", "benchmark__track", "line", "waiting", *KEY)[: SMALL + 1]
    )
    if len(rows) > SMALL:
        return None
    lines: dict[tuple[int, int], dict[int, list[tuple[Key, int]]]] = defaultdict(lambda: defaultdict(list))
    for priority, track, line, waiting, *key in rows:
        lines[priority, track][line].append((tuple(key), waiting))
    tracks = _tracks(queue)
    return {
        kind: _crowd(tracks[kind[1]], [(min(lanes)[0], sum(n for _, n in lanes)) for lanes in each.values()])
        for kind, each in lines.items()
    }


def _summed_up(queue: str) -> Crowds:
    """Return the crowds of a large queue, each with a sample of its lanes."""
    depths: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    counted = _waiting(queue).values_list("priority", "benchmark__track", "waiting").annotate(Count("pk"))
    for priority, track, depth, number in counted:
        depths[priority, track][depth] = number
    tracks = _tracks(queue)
    return {
        kind: Crowd(
            served_at=tracks[kind[1]].served_at,
            depths=each,
            lines=_sample(*kind, among=sum(each.values())),
            is_paused=tracks[kind[1]].is_paused,
        )
        for kind, each in depths.items()
    }


def _sample(priority: int, track: int, *, among: int) -> list[tuple[Key, int]]:
    """Return lanes at even distances in their order, the first included."""
    lanes = Lane.objects.filter(benchmark__track=track, priority=priority, waiting__gt=0)
    numbered = lanes.annotate(number=Window(RowNumber(), order_by=KEY))
    taken = numbered.annotate(rest=(F("number") - 1) % ceil(among / SAMPLE)).filter(rest=0).order_by("number")
    return [(tuple(key), waiting) for waiting, *key in taken.values_list("waiting", *KEY)]


def _waiting(queue: str) -> QuerySet[Lane]:
    return Lane.objects.filter(benchmark__track__queue=queue, waiting__gt=0).order_by()


def _crowd(track: _TrackInQueue, lines: list[tuple[Key, int]]) -> Crowd:
    depths = Counter(depth for _, depth in lines)
    return Crowd(served_at=track.served_at, depths=depths, lines=sorted(lines), is_paused=track.is_paused)


def _tracks(queue: str) -> dict[int, _TrackInQueue]:
    last = Line.objects.filter(track=OuterRef("pk")).order_by("-served_at").values("served_at")[:1]
    tracks = Track.objects.filter(queue=queue).order_by().annotate(served_at=Subquery(last))
    return {
        track: _TrackInQueue(served_at=served_at or NEVER, is_paused=paused_at is not None)
        for track, served_at, paused_at in tracks.values_list("pk", "served_at", "paused_at")
    }
