"""Baselines: submissions of organisers that a board shows beside its ranks, as something to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction

from competition.audit.models import Act
from competition.audit.recording import Actor, record
from competition.leaderboard import standings
from competition.leaderboard.selectors import Board, Row
from competition.submissions import disclosure
from competition.submissions.disqualified import disqualified
from competition.submissions.locks import lock_participant
from competition.submissions.models import Baseline, Score, Submission, Visibility
from competition.tracks.access import organises
from scoring.contracts import Status

MOST: Final = 20
"""So many are shown on a board, those named first by the alphabet."""


def may_be_baseline(submission: Submission) -> bool:
    """Say whether a submission may become one: only an organiser's own, or a rank could be taken from somebody."""
    return organises(submission.participant, submission.track.competition_id)


@transaction.atomic
def make_baseline(*, submission: Submission, name: str, by: Actor) -> bool:
    """Show a submission as a baseline of this name, without a rank, or rename it. False if it is one already."""
    lock_participant(submission.participant_id)
    before = Baseline.objects.filter(submission=submission).values_list("name", flat=True).first()
    if before == name:
        return False
    Baseline.objects.update_or_create(submission=submission, defaults={"name": name})
    _follow(submission)
    _record(submission, before=before, after=name, by=by)
    return True


@transaction.atomic
def end_baseline(*, submission: Submission, by: Actor) -> bool:
    """Let a submission count like any other again. False if it is no baseline."""
    lock_participant(submission.participant_id)
    found = Baseline.objects.filter(submission=submission).first()
    if found is None:
        return False
    found.delete()
    _follow(submission)
    _record(submission, before=found.name, after=None, by=by)
    return True


def baselines_of(board: Board) -> tuple[Row, ...]:
    """Return the baselines of a board, the best first, in two queries."""
    if board.benchmark is None:
        return ()
    named = Baseline.objects.filter(submission__track=board.track)[:MOST]
    scores = Score.objects.filter(
        evaluation__benchmark=board.benchmark,
        evaluation__status=Status.SCORED,
        evaluation__submission__baseline__in=[each.pk for each in named],
        evaluation__submission__visibility=Visibility.PUBLIC,
        split=board.split,
    ).exclude(disqualified("evaluation__submission"))
    scores = scores.select_related("evaluation__submission__baseline", "evaluation__submission__participant")
    scores = scores.defer("evaluation__log", "evaluation__report", "evaluation__findings").order_by("pk")
    by_evaluation: dict[int, dict[str, Score]] = {}
    for score in scores:
        by_evaluation.setdefault(score.evaluation_id, {})[score.metric] = score
    rows = (_row(board, found) for found in by_evaluation.values() if board.metric in found)
    return tuple(sorted(rows, key=lambda row: row.value, reverse=board.metric_facts.higher_is_better))


def interleaved(
    rows: Sequence[Row], baselines: Iterable[Row], *, board: Board, is_first: bool, behind: Row | None
) -> tuple[Row, ...]:
    """Return a page's rows with the baselines that belong between them; `behind` is the first row of the next page."""
    sign = 1 if board.metric_facts.higher_is_better else -1

    def is_better(row: Row, than: Row) -> bool:
        return not than.inside_gate or sign * row.value > sign * than.value

    mixed: list[Row] = []
    waiting = [
        row
        for row in baselines
        if (is_first or not rows or not is_better(row, rows[0]))
        and (behind is None or is_better(row, behind))
    ]
    for row in rows:
        while waiting and is_better(waiting[0], row):
            mixed.append(waiting.pop(0))
        mixed.append(row)
    return (*mixed, *waiting)


def _row(board: Board, scores: dict[str, Score]) -> Row:
    ranking = scores[board.metric]
    evaluation = ranking.evaluation
    usage = evaluation.usage or {}
    submission, second = evaluation.submission, board.second_name
    return Row(
        position=0,
        rank=None,
        rank_low=None,
        rank_high=None,
        participant_id=submission.participant_id,
        participant_name=submission.participant.get_username(),
        value=disclosure.score(ranking.value),
        ci_low=disclosure.score(ranking.ci_low),
        ci_high=disclosure.score(ranking.ci_high),
        extra={name: disclosure.score(scores[name].value) for name in board.extra_metrics if name in scores},
        submitted_at=submission.created_at,
        submissions=0,
        evaluation_id=evaluation.pk,
        latency_ms=disclosure.latency(usage.get("latency_p50_ms"), board.max_latency_ms),
        quantised=disclosure.score(scores[second].value) if second in scores else None,
        captured=usage.get("captured"),
        hardware=(evaluation.report or {}).get("hardware", ""),
        parameters=usage.get("parameters"),
        macs=usage.get("macs"),
        baseline=submission.baseline.name,
        baseline_id=submission.baseline.pk,
    )


def _follow(submission: Submission) -> None:
    standings.follow(submission.participant_id, competition_id=submission.track.competition_id)


def _record(submission: Submission, *, before: str | None, after: str | None, by: Actor) -> None:
    record(
        Act.BASELINE_CHANGED,
        submission,
        by=by,
        competition_id=submission.track.competition_id,
        before={"baseline": before},
        after={"baseline": after},
    )
