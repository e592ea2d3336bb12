"""Proves a board: its rows, one by one, against ranks that are computed from the standings in memory."""

from __future__ import annotations

from typing import Final

from competition.leaderboard import ranking, rankings
from competition.leaderboard.models import BoardRow, Ranking, Standing
from competition.tracks.models import BenchmarkVersion
from scoring.contracts import METRIC_FACTS, Split

_COPIED: Final = (
    "participant_id",
    "evaluation_id",
    "value",
    "ci_low",
    "ci_high",
    "latency_ms",
    "inside_gate",
    "achieved_at",
)
_PLACED: Final = ("position", "rank", "rank_low", "rank_high")


def examine(benchmark: BenchmarkVersion, split: Split) -> int:
    """Return how many rows of a board are missing, wrong or surplus, its summary counting as one; write nothing."""
    wanted = _wanted(benchmark, split)
    shown = BoardRow.objects.filter(ranking__benchmark=benchmark, ranking__split=split)
    existing = {row[0]: row for row in shown.values_list(*_COPIED, *_PLACED)}
    wrong = {key for key in existing.keys() | wanted.keys() if existing.get(key) != wanted.get(key)}
    return len(wrong) + int(_summary(benchmark, split) != _wanted_summary(wanted))


def repair(benchmark: BenchmarkVersion, split: Split) -> int:
    """Rank a board anew; return how many of its rows differed, as `examine` counts them."""
    wrong = examine(benchmark, split)
    rankings.rank_anew(benchmark, split)
    return wrong


def _wanted(benchmark: BenchmarkVersion, split: Split) -> dict[int, tuple[object, ...]]:
    """Return each participant's row as it must be, the first row first."""
    rows = Standing.objects.filter(benchmark=benchmark, split=split).values_list(*_COPIED)
    standings = {row[0]: row for row in rows}
    facts = METRIC_FACTS[benchmark.document().spec.metric]
    contenders = (_contender(dict(zip(_COPIED, row, strict=True))) for row in standings.values())
    places = ranking.rank(contenders, higher_is_better=facts.higher_is_better)
    return {
        place.key: (*standings[place.key], position, place.rank, place.rank_low, place.rank_high)
        for position, place in enumerate(places, start=1)
    }


def _contender(standing: dict[str, object]) -> ranking.Contender:
    key, _ = standing.pop("participant_id"), standing.pop("evaluation_id")
    return ranking.Contender(key=key, **standing)  # type: ignore[arg-type]  # columns of the same names


def _summary(benchmark: BenchmarkVersion, split: Split) -> tuple[object, ...]:
    rows = Ranking.objects.filter(benchmark=benchmark, split=split)
    return rows.values_list("participants", "best").first() or (0, None)


def _wanted_summary(wanted: dict[int, tuple[object, ...]]) -> tuple[object, ...]:
    if not wanted:
        return 0, None
    first = dict(zip((*_COPIED, *_PLACED), next(iter(wanted.values())), strict=True))
    return len(wanted), first["value"] if first["inside_gate"] else None
