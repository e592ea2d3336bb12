"""Where a score stands on the public board of its version, or would stand; found by indexes on a board of any size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from competition.leaderboard.models import BoardRow, Ranking, Standing
from competition.submissions import disclosure
from competition.submissions.models import Evaluation, Score
from competition.submissions.selectors import ranking_score
from scoring.contracts import METRIC_FACTS, Metric, Split, Status

HISTORY: Final = 100
"""Of one's own scores on a version, so many are drawn, the last ones."""


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """A score among the others; `counts` if it is what the board shows of its participant.

    Distances are how much it lacks, None where nobody is before it.
    """

    rank: int
    counts: bool
    participants: int
    to_next: float | None
    to_best: float | None


@dataclass(frozen=True, kw_only=True)
class Own:
    """One of a participant's scores on a version."""

    at: datetime
    name: str
    value: float
    is_this: bool


def prospect_of(evaluation: Evaluation) -> Prospect | None:
    """Return where the evaluation's score stands; None without a score or a board, and outside the latency gate."""
    value = ranking_score(evaluation)
    board = Ranking.objects.filter(benchmark=evaluation.benchmark_id, split=Split.PUBLIC).first()
    if value is None or board is None or board.best is None:
        return None
    own = BoardRow.objects.filter(ranking=board, participant=evaluation.submission.participant_id).first()
    counts = own is not None and own.evaluation_id == evaluation.pk
    if own is not None and counts and own.rank is None:
        return None
    better, not_better = _neighbours(evaluation, value)
    rank = own.rank if own is not None and counts else _rank_of(board, not_better, own)
    return Prospect(
        rank=rank or 1,
        counts=counts,
        participants=board.participants,
        to_next=None if better is None else disclosure.score(abs(better.value - value)),
        to_best=None if better is None else disclosure.score(abs(board.best - value)),
    )


def _neighbours(evaluation: Evaluation, value: float) -> tuple[Standing | None, Standing | None]:
    """Return who is just before the score and who is not before it, others than its participant."""
    higher = METRIC_FACTS[Metric(evaluation.benchmark.spec["metric"])].higher_is_better
    others = Standing.objects.filter(benchmark=evaluation.benchmark_id, split=Split.PUBLIC, inside_gate=True)
    others = others.exclude(participant=evaluation.submission.participant_id)
    up, down = others.order_by("value"), others.order_by("-value")
    if higher:
        return up.filter(value__gt=value).first(), down.filter(value__lte=value).first()
    return down.filter(value__lt=value).first(), up.filter(value__gte=value).first()


def _rank_of(board: Ranking, not_better: Standing | None, own: BoardRow | None) -> int:
    """Return the rank that a score before this standing would have, its participant's other row being gone."""
    if not_better is None:
        return board.participants + (own is None)
    row = BoardRow.objects.filter(ranking=board, participant=not_better.participant_id).first()
    if row is None or row.rank is None:
        return board.participants
    is_passed = own is not None and own.rank is not None and own.rank < row.rank
    return int(row.rank) - int(is_passed)


def history_of(evaluation: Evaluation) -> tuple[Own, ...]:
    """Return the participant's scores on the evaluation's version in the order of their uploads."""
    scores = Score.objects.filter(
        evaluation__benchmark=evaluation.benchmark_id,
        evaluation__status=Status.SCORED,
        evaluation__submission__participant=evaluation.submission.participant_id,
        evaluation__submission__track=evaluation.submission.track_id,
        metric=evaluation.benchmark.spec["metric"],
        split=Split.PUBLIC,
    )
    columns = (
        "evaluation__submission__created_at",
        "evaluation__submission__entry_name",
        "value",
        "evaluation_id",
    )
    last: list[tuple[Any, ...]] = list(
        scores.order_by("-evaluation__submission__created_at").values_list(*columns)[:HISTORY]
    )
    return tuple(
        Own(at=at, name=name, value=disclosure.score(value), is_this=key == evaluation.pk)
        for at, name, value, key in reversed(last)
    )
