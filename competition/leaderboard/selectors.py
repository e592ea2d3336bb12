"""A track's board, read in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.db.models.fields.json import KeyTransform

from competition.leaderboard import ranking
from competition.leaderboard.models import Standing
from competition.submissions import disclosure
from competition.submissions.models import Score, Submission
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import METRIC_FACTS, Metric, MetricFacts, Precision, Split, quantised_name


@dataclass(frozen=True, kw_only=True)
class Row:
    """One participant on the board; `extra` holds the metrics that are shown but do not rank.

    Entries outside the track's latency gate have no rank. `captured` is False for an entry that was
    counted by running it, None where nobody tried to capture it.
    """

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

    @property
    def drop_points(self) -> float | None:
        """Return what the value loses in the track's second precision, in points of a hundred."""
        return None if self.quantised is None else 100 * (self.value - self.quantised)


@dataclass(frozen=True, kw_only=True)
class Board:
    """The ranked participants of one benchmark version and split, the best first."""

    track: Track
    benchmark: BenchmarkVersion | None
    split: Split
    metric: Metric
    metric_facts: MetricFacts
    extra_metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    max_latency_ms: float | None = None
    precision: Precision | None = None


def board(track: Track, *, split: Split = Split.PUBLIC, benchmark: BenchmarkVersion | None = None) -> Board:
    """Return the board of a benchmark version, by default the track's current one.

    Who may see the private split is for the caller to ask: `track.shows_private_scores(now)`.
    """
    version = benchmark or track.benchmark
    metric, extra_metrics = _metrics(track, version)
    facts = METRIC_FACTS[metric]
    rows = () if version is None else _rows(track, version, split, facts)
    quantisation = None if version is None else version.document().spec.quantisation
    return Board(
        track=track,
        benchmark=version,
        split=split,
        metric=metric,
        metric_facts=facts,
        extra_metrics=extra_metrics,
        rows=rows,
        max_latency_ms=None if version is None else version.document().spec.budgets.max_latency_ms,
        precision=quantisation.precision if quantisation else None,
    )


def _metrics(track: Track, version: BenchmarkVersion | None) -> tuple[Metric, tuple[Metric, ...]]:
    spec = track.spec() if version is None else version.document().spec
    return spec.metric, spec.extra_metrics


def _rows(track: Track, version: BenchmarkVersion, split: Split, facts: MetricFacts) -> tuple[Row, ...]:
    standings = (
        Standing.objects.filter(benchmark=version, split=split)
        .select_related("participant")
        .annotate(captured=KeyTransform("captured", "evaluation__usage"))
    )
    by_participant = {standing.participant_id: standing for standing in standings}
    values = _values(version, split)
    counts = _submissions(track)
    places = ranking.rank(map(_contender, by_participant.values()), higher_is_better=facts.higher_is_better)
    second, gate_ms = _second_name(version), version.document().spec.budgets.max_latency_ms
    return tuple(_row(place, by_participant[place.key], values, counts, second, gate_ms) for place in places)


def _contender(standing: Standing) -> ranking.Contender:
    return ranking.Contender(
        key=standing.participant_id,
        value=standing.value,
        ci_low=standing.ci_low,
        ci_high=standing.ci_high,
        achieved_at=standing.achieved_at,
        latency_ms=standing.latency_ms,
        inside_gate=standing.inside_gate,
    )


def _row(
    place: ranking.Place,
    standing: Any,
    values: Mapping[int, Mapping[str, float]],
    submissions: Mapping[int, int],
    second: str,
    gate_ms: float | None,
) -> Row:
    """Return a row as it is told: places come from the numbers as they were measured."""
    own = values.get(standing.evaluation_id, {})
    return Row(
        rank=place.rank,
        rank_low=place.rank_low,
        rank_high=place.rank_high,
        participant_id=standing.participant_id,
        participant_name=standing.participant.get_username(),
        value=disclosure.score(standing.value),
        ci_low=disclosure.score(standing.ci_low),
        ci_high=disclosure.score(standing.ci_high),
        extra={name: disclosure.score(value) for name, value in own.items() if name != second},
        submitted_at=standing.achieved_at,
        submissions=submissions.get(standing.participant_id, 0),
        evaluation_id=standing.evaluation_id,
        latency_ms=disclosure.latency(standing.latency_ms, gate_ms),
        inside_gate=standing.inside_gate,
        quantised=disclosure.score(own[second]) if second in own else None,
        captured=standing.captured,
    )


def _second_name(version: BenchmarkVersion) -> str:
    """Return the name of the ranking metric in the track's second precision; empty where it has none."""
    spec = version.document().spec
    return quantised_name(spec.quantisation.precision, spec.metric) if spec.quantisation else ""


def _values(version: BenchmarkVersion, split: Split) -> dict[int, dict[str, float]]:
    """Return the values other than the ranking one, for every standing's evaluation."""
    on_board = Standing.objects.filter(benchmark=version, split=split).values("evaluation_id")
    names: Collection[str] = (*version.document().spec.extra_metrics, _second_name(version))
    scores = Score.objects.filter(evaluation__in=on_board, split=split, metric__in=names).order_by()
    values: dict[int, dict[str, float]] = {}
    for evaluation, metric, value in scores.values_list("evaluation_id", "metric", "value"):
        values.setdefault(evaluation, {})[metric] = value
    return values


def _submissions(track: Track) -> dict[int, int]:
    counted = Submission.objects.filter(track=track).order_by().values_list("participant_id")
    return dict(counted.annotate(n=Count("pk")))
