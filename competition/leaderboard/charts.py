"""What the charts of a board show: read from what was summed up, never counted for a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model

from competition.leaderboard.baselines import baselines_of
from competition.leaderboard.models import Charts
from competition.leaderboard.selectors import Board, Row
from competition.submissions import disclosure
from scoring.contracts import BUDGET_RULES


@dataclass(frozen=True, kw_only=True)
class Step:
    """A score that was better than all uploaded before it."""

    at: datetime
    value: float
    participant: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """A participant's score and what its entry costs; `on_front` where nobody scores more for less."""

    participant: str
    value: float
    cost: int
    on_front: bool


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Scores against one kind of usage."""

    usage: str
    title: str
    points: tuple[Point, ...]
    baselines: tuple[Point, ...] = ()

    @property
    def front(self) -> tuple[Point, ...]:
        """Return the Pareto front, the cheapest first."""
        return tuple(point for point in self.points if point.on_front)


@dataclass(frozen=True, kw_only=True)
class Bin:
    """How many participants have a score from `low` up to `high`."""

    low: float
    high: float
    participants: int


@dataclass(frozen=True, kw_only=True)
class Day:
    """How many submissions there were on a day, in UTC."""

    day: date
    submissions: int


@dataclass(frozen=True, kw_only=True)
class BoardCharts:
    """Everything that is drawn of a board, as it was `at` some moment; `at` is None before the first time."""

    metric: str
    higher_is_better: bool
    at: datetime | None = None
    record: tuple[Step, ...] = ()
    costs: tuple[Costs, ...] = ()
    scores: tuple[Bin, ...] = ()
    days: tuple[Day, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is anything to draw."""
        return bool(self.record or self.scores or self.days)

    def as_plain(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        return {
            **asdict(self),
            "at": self.at and self.at.isoformat(),
            "record": [{**asdict(step), "at": step.at.isoformat()} for step in self.record],
            "days": [{**asdict(day), "day": day.day.isoformat()} for day in self.days],
        }


def charts_of(board: Board) -> BoardCharts:
    """Return what is drawn of a board, in four queries; nothing before it was summed up."""
    facts = board.metric_facts
    nothing = BoardCharts(metric=facts.title, higher_is_better=facts.higher_is_better)
    kept = Charts.objects.filter(ranking=board.ranking_id).first() if board.ranking_id else None
    if kept is None:
        return nothing
    names, baselines = _names(kept), baselines_of(board)
    return BoardCharts(
        metric=facts.title,
        higher_is_better=facts.higher_is_better,
        at=kept.at,
        record=tuple(
            Step(at=datetime.fromisoformat(at), value=disclosure.score(value), participant=names[key])
            for at, value, key in kept.record
            if key in names
        ),
        costs=tuple(_costs(usage, rows, names, baselines) for usage, rows in kept.costs.items() if rows),
        scores=_bins(kept.scores),
        days=_every_day(kept.days),
    )


def _names(kept: Charts) -> dict[int, str]:
    """Return the names of those who are drawn; names may change, so they are not kept."""
    keys = {row[2] for row in kept.record} | {row[0] for rows in kept.costs.values() for row in rows}
    users = get_user_model().objects.filter(pk__in=keys)
    return dict(users.values_list("pk", "username"))


def _costs(
    usage: str,
    rows: Iterable[tuple[int, float, int, bool]],
    names: dict[int, str],
    baselines: Iterable[Row],
) -> Costs:
    titles = {rule.usage: rule.title for rule in BUDGET_RULES}
    points = (
        Point(participant=names[key], value=disclosure.score(value), cost=cost, on_front=on_front)
        for key, value, cost, on_front in rows
        if key in names
    )
    beside = (
        Point(participant=row.baseline, value=row.value, cost=getattr(row, usage), on_front=False)
        for row in baselines
        if getattr(row, usage) is not None
    )
    return Costs(usage=usage, title=titles[usage], points=tuple(points), baselines=tuple(beside))


def _bins(scores: dict[str, Any]) -> tuple[Bin, ...]:
    counts = scores.get("counts", [])
    if not counts:
        return ()
    low, width = scores["low"], (scores["high"] - scores["low"]) / len(counts)
    return tuple(
        Bin(
            low=disclosure.score(low + number * width),
            high=disclosure.score(low + (number + 1) * width),
            participants=n,
        )
        for number, n in enumerate(counts)
    )


def _every_day(days: Iterable[tuple[str, int]]) -> tuple[Day, ...]:
    """Return the days from the first to the last, those without a submission as well."""
    counted = {date.fromisoformat(day): n for day, n in days}
    if not counted:
        return ()
    first, last = max(min(counted), max(counted) - timedelta(days=59)), max(counted)
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(Day(day=day, submissions=counted.get(day, 0)) for day in every)
