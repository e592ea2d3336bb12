"""Which submissions somebody may see, with what their pages need."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet

from competition.submissions.disqualified import with_reasons
from competition.submissions.models import Evaluation, Submission
from competition.tracks.access import for_organiser, is_staff, organises
from scoring.contracts import Split, Status
from scoring.errors import Rejected


def submissions_of(participant: User, *, track_slug: str = "") -> QuerySet[Submission]:
    """Return a participant's submissions, newest first."""
    found = _with_evaluations(Submission.objects.filter(participant=participant))
    return found.filter(track__slug=track_slug) if track_slug else found


def submissions_visible_to(viewer: User) -> QuerySet[Submission]:
    """Return one's own submissions and those to competitions that one organises."""
    visible = Submission.objects.filter(participant=viewer)
    if is_staff(viewer):
        visible |= for_organiser(Submission.objects.all(), viewer)
    return _with_evaluations(visible)


def may_cancel(viewer: User, evaluation: Evaluation) -> bool:
    """Say whether somebody who may see the submission may cancel its evaluation too.

    What an organiser scores again is the organiser's: one click of a participant would take them off the board.
    """
    is_own = evaluation.submission.participant_id == viewer.pk and not evaluation.is_rescore
    return is_own or viewer.has_perm("submissions.change_evaluation")


def may_operate(viewer: User, submission: Submission) -> bool:
    """Say whether somebody who may see the submission may retry it, and put it in quarantine."""
    may_change = viewer.has_perm("submissions.change_evaluation")
    return may_change and organises(viewer, submission.track.competition_id)


def may_queue_again(viewer: User, evaluation: Evaluation) -> bool:
    """Say whether the viewer is the participant of a submission that was cancelled and whose file is there."""
    submission = evaluation.submission
    is_own = submission.participant_id == viewer.pk
    return is_own and evaluation.status == Status.CANCELLED and bool(submission.entry)


def earlier_submission(rejected: Rejected) -> Submission:
    """Return the submission that a rejection with `already_submitted` is about."""
    return Submission.objects.get(pk=str(rejected.findings[0].facts["id"]))


def newest_first(submission: Submission) -> tuple[Evaluation, ...]:
    """Return a submission's evaluations in the order of this module's queries."""
    return tuple(submission.evaluations.all())


def ranking_score(evaluation: Evaluation) -> float | None:
    """Return the public value of the metric that ranks the track, if the evaluation has one."""
    metric = evaluation.benchmark.spec["metric"]
    values = (s.value for s in evaluation.scores.all() if s.metric == metric and s.split == Split.PUBLIC)
    return next(values, None)


@dataclass(frozen=True, kw_only=True)
class EarlierScore:
    """What a submission scored on an earlier benchmark version."""

    value: float
    number: int


def score_before(submission: Submission) -> EarlierScore | None:
    """Return the score of the newest version but the last on which the submission has one."""
    for evaluation in newest_first(submission)[1:]:
        value = ranking_score(evaluation)
        if value is not None:
            return EarlierScore(value=value, number=evaluation.benchmark.number)
    return None


def _with_evaluations(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    evaluations = (
        Evaluation.objects.select_related("benchmark", "benchmark__dataset")
        .prefetch_related("scores")
        .order_by("-benchmark__number")
    )
    return (
        with_reasons(submissions)
        .select_related("track", "track__competition", "participant", "quarantine")
        .prefetch_related(Prefetch("evaluations", queryset=evaluations))
    )
