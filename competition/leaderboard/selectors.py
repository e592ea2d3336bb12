"""A track's board as it was ranked: read a page at a time, each page in a constant number of queries and of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform

from competition.leaderboard.models import BoardRow, Ranking, Standing
from competition.submissions import disclosure
from competition.submissions.models import Participation, Score
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import METRIC_FACTS, Metric, MetricFacts, Precision, Split, TrackSpec, quantised_name

ROWS_A_PAGE: Final = 50
ROWS_AT_ONCE: Final = 500
"""So many rows of a whole board are in memory while it is written to a file."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One participant on the board; `extra` holds the metrics that are shown but do not rank.

    `position` counts rows from 1. Entries outside the track's latency gate have no rank. `captured` is False for an
    entry that was counted by running it, None where nobody tried to capture it. `rank_before` is the rank with which
    the day began, in UTC. Usage is None while a newer score waits to be ranked. A baseline has a name and no rank.
    `hardware` is the class of the machine that scored, empty where an earlier release did not note it.
    """

    position: int
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    participant_id: int
    participant_name: str
    value: float
    ci_low: float
    ci_high: float
    extra: Mapping[str, float]
    submitted_at: datetime
    submissions: int
    evaluation_id: int
    latency_ms: float | None = None
    inside_gate: bool = True
    quantised: float | None = None
    captured: bool | None = None
    hardware: str = ""
    rank_before: int | None = None
    parameters: int | None = None
    macs: int | None = None
    format: str = ""
    baseline: str = ""
    baseline_id: int | None = None

    @property
    def rise(self) -> int | None:
        """Return by how many ranks the participant rose since the day began; less than 0 for a fall."""
        if self.rank is None or self.rank_before is None:
            return None
        return self.rank_before - self.rank

    @property
    def fall(self) -> int | None:
        """Return the same the other way round."""
        return None if self.rise is None else -self.rise

    @property
    def drop_points(self) -> float | None:
        """Return what the value loses in the track's second precision, in points of a hundred."""
        return None if self.quantised is None else 100 * (self.value - self.quantised)


@dataclass(frozen=True, kw_only=True)
class Board:
    """The board of one benchmark version and split, with some of its rows.

    `participants` is how many rows there are in all; `revision` grows whenever one of them changes. `kept_on` is the
    day whose first ranks are kept.
    """

    track: Track
    benchmark: BenchmarkVersion | None
    split: Split
    metric: Metric
    metric_facts: MetricFacts
    extra_metrics: tuple[Metric, ...]
    participants: int = 0
    revision: int = 0
    rows: tuple[Row, ...] = ()
    max_latency_ms: float | None = None
    precision: Precision | None = None
    ranking_id: int | None = None
    kept_on: date | None = None

    @property
    def second_name(self) -> str:
        """Return the name of the ranking metric in the track's second precision; empty where it has none."""
        return quantised_name(self.precision, self.metric) if self.precision else ""


def board(
    track: Track,
    *,
    split: Split = Split.PUBLIC,
    benchmark: BenchmarkVersion | None = None,
    after: int = 0,
    limit: int = ROWS_A_PAGE,
) -> Board:
    """Return the rows behind a position of the board of a benchmark version, by default the one that the track shows.

    Who may see the private split is for the caller to ask: `track.shows_private_scores(now)`.
    """
    head = _head(track, benchmark or track.shown or track.benchmark, split)
    return replace(head, rows=rows_after(head, after, limit=limit)) if limit else head


def rows_after(board: Board, position: int, *, limit: int) -> tuple[Row, ...]:
    """Return at most so many rows, the first of them the one behind the position."""
    wanted = _ranked(board).filter(position__gt=position, position__lte=position + limit)
    return _rows(board, wanted.order_by("position"))


def row_of(board: Board, participant_id: int | None) -> Row | None:
    """Return somebody's row; nothing if they have none, or have not signed in."""
    if participant_id is None:
        return None
    return next(iter(_rows(board, _ranked(board).filter(participant=participant_id))), None)


def rows_of(board: Board, participants: Sequence[int]) -> tuple[Row, ...]:
    """Return the rows of some participants in the order in which they are named; who has none is left out."""
    found = {
        row.participant_id: row for row in _rows(board, _ranked(board).filter(participant__in=participants))
    }
    return tuple(found[key] for key in participants if key in found)


def rows_named(board: Board, names: Collection[str]) -> tuple[Row, ...]:
    """Return the rows of participants of these names, the best first."""
    wanted = _ranked(board).filter(participant__username__in=names)
    return _rows(board, wanted.order_by("position"))


def every_row(board: Board) -> Iterator[Row]:
    """Yield all rows as the board was at one moment, a few of them in memory at a time."""
    ranked = _ranked(board).order_by("position").iterator(chunk_size=ROWS_AT_ONCE)
    while some := list(islice(ranked, ROWS_AT_ONCE)):
        yield from _rows(board, some)


def names(board: Board) -> Iterator[str]:
    """Yield the names on the board in the order of its rows: all of it that may change without a new revision."""
    ranked = BoardRow.objects.filter(ranking=board.ranking_id).order_by("position")
    return ranked.values_list("participant__username", flat=True).iterator(chunk_size=ROWS_AT_ONCE)


def _head(track: Track, version: BenchmarkVersion | None, split: Split) -> Board:
    spec = track.spec() if version is None else version.document().spec
    ranked = None if version is None else Ranking.objects.filter(benchmark=version, split=split).first()
    head = Board(
        track=track,
        benchmark=version,
        split=split,
        metric=spec.metric,
        metric_facts=METRIC_FACTS[spec.metric],
        extra_metrics=spec.extra_metrics,
        participants=ranked.participants if ranked else 0,
        revision=ranked.revision if ranked else 0,
        ranking_id=ranked.pk if ranked else None,
        kept_on=ranked.kept_on if ranked else None,
    )
    return head if version is None else _with_second_scores(head, spec)


def _with_second_scores(head: Board, spec: TrackSpec) -> Board:
    precision = spec.quantisation.precision if spec.quantisation else None
    return replace(head, max_latency_ms=spec.budgets.max_latency_ms, precision=precision)


def _ranked(board: Board) -> QuerySet[BoardRow]:
    captured = KeyTransform("captured", "evaluation__usage")
    hardware = KeyTransform("hardware", "evaluation__report")
    rows = BoardRow.objects.filter(ranking=board.ranking_id).annotate(captured=captured, hardware=hardware)
    return rows.select_related("participant")


def _rows(board: Board, ranked: QuerySet[BoardRow] | Sequence[BoardRow]) -> tuple[Row, ...]:
    """Return rows as they are told: places come from the numbers as they were measured."""
    found = list(ranked)
    if not found:
        return ()
    values = _values(board, [row.evaluation_id for row in found])
    participants = [row.participant_id for row in found]
    counts, usages = _submissions(board.track, participants), _usages(board, participants)
    return tuple(
        replace(
            _row(board, row, values.get(row.evaluation_id, {}), counts), **usages.get(row.evaluation_id, {})
        )
        for row in found
    )


def _row(board: Board, ranked: Any, own: Mapping[str, float], submissions: Mapping[int, int]) -> Row:
    second = board.second_name
    return Row(
        position=ranked.position,
        rank=ranked.rank,
        rank_low=ranked.rank_low,
        rank_high=ranked.rank_high,
        participant_id=ranked.participant_id,
        participant_name=ranked.participant.get_username(),
        value=disclosure.score(ranked.value),
        ci_low=disclosure.score(ranked.ci_low),
        ci_high=disclosure.score(ranked.ci_high),
        extra={name: disclosure.score(value) for name, value in own.items() if name != second},
        submitted_at=ranked.achieved_at,
        submissions=submissions.get(ranked.participant_id, 0),
        evaluation_id=ranked.evaluation_id,
        latency_ms=disclosure.latency(ranked.latency_ms, board.max_latency_ms),
        inside_gate=ranked.inside_gate,
        quantised=disclosure.score(own[second]) if second in own else None,
        captured=ranked.captured,
        hardware=ranked.hardware or "",
        rank_before=ranked.rank_before,
    )


def _values(board: Board, evaluations: Collection[int]) -> dict[int, dict[str, float]]:
    """Return the values other than the ranking one, for each evaluation."""
    names = (*board.extra_metrics, board.second_name)
    scores = Score.objects.filter(evaluation__in=evaluations, split=board.split, metric__in=names).order_by()
    values: dict[int, dict[str, float]] = {}
    for evaluation, metric, value in scores.values_list("evaluation_id", "metric", "value"):
        values.setdefault(evaluation, {})[metric] = value
    return values


def _usages(board: Board, participants: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return what the standings tell of each evaluation's entry."""
    standings = Standing.objects.filter(
        benchmark=board.benchmark, split=board.split, participant__in=participants
    )
    told = ("parameters", "macs", "format")
    rows = standings.order_by().values_list("evaluation_id", *told)
    return {evaluation: dict(zip(told, values, strict=True)) for evaluation, *values in rows}


def _submissions(track: Track, participants: Collection[int]) -> dict[int, int]:
    rows = Participation.objects.filter(track=track, participant__in=participants)
    return dict(rows.values_list("participant_id", "submissions"))
