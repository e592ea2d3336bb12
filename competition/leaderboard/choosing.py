"""What participants choose for their own submissions: a note, whether boards show one, which one is final."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from competition.clock import database_now
from competition.leaderboard import standings
from competition.submissions import services
from competition.submissions.locks import lock_participant
from competition.submissions.models import FINAL, Participation, Submission, Visibility
from scoring.contracts import Status

MAX_NOTE: Final = 2_000


class NotPossible(Exception):  # nothing broke: the sentence says why it cannot be
    """A choice that cannot be made, with the sentence that says why."""


def set_note(submission: Submission, note: str) -> None:
    """Write the participant's own note; others than organisers never read it."""
    if len(note) > MAX_NOTE:
        raise NotPossible(f"A note has at most {MAX_NOTE:,} characters.")
    Submission.objects.filter(pk=submission.pk).update(note=note.replace("\r\n", "\n").strip())


@transaction.atomic
def set_visibility(submission: Submission, visibility: Visibility, *, now: datetime | None = None) -> None:
    """Hide a submission from boards, show it again, or withdraw it for good; boards follow at once.

    Hiding and showing end with the track; what is withdrawn stays so. Raises NotPossible.
    """
    now = now or database_now()
    lock_participant(submission.participant_id)
    current = Submission.objects.select_related("track").get(pk=submission.pk)
    if current.visibility == visibility:
        return
    if current.visibility == Visibility.WITHDRAWN:
        raise NotPossible("This submission was withdrawn, which cannot be taken back.")
    if visibility != Visibility.WITHDRAWN and current.track.is_closed(now):
        raise NotPossible("The track has ended: a submission can only be withdrawn.")
    Submission.objects.filter(pk=current.pk).update(visibility=visibility)
    if visibility == Visibility.WITHDRAWN:
        Participation.objects.filter(final=current.pk).update(final=None)
        for evaluation in current.evaluations.exclude(status__in=FINAL):
            services.cancel_evaluation(evaluation=evaluation, now=now)
    _follow(current)


@transaction.atomic
def choose_final(submission: Submission, *, is_final: bool, now: datetime | None = None) -> None:
    """Let a submission count on the private board in place of the best one there, or no longer. Raises NotPossible."""
    now = now or database_now()
    lock_participant(submission.participant_id)
    current = Submission.objects.select_related("track__benchmark__dataset").get(pk=submission.pk)
    why_not = why_no_final(current, now)
    if why_not:
        raise NotPossible(why_not)
    own = Participation.objects.filter(track=current.track_id, participant=current.participant_id)
    if is_final:
        own.update(final=current.pk)
    else:
        own.filter(final=current.pk).update(final=None)
    _follow(current)


def why_no_final(submission: Submission, now: datetime) -> str:
    """Return why a submission cannot be chosen as final; empty where it can."""
    track = submission.track
    if track.benchmark is None or not track.benchmark.dataset.private_samples:
        return "This track has no private split, so the best submission counts."
    if track.is_closed(now):
        return "The track has ended."
    if submission.visibility != Visibility.PUBLIC:
        return "The submission is hidden from boards."
    if not submission.evaluations.filter(status=Status.SCORED).exists():
        return "The submission has no score."
    return ""


def is_chosen(submission: Submission) -> bool:
    """Say whether the submission is the one that its participant chose."""
    return Participation.objects.filter(track=submission.track_id, final=submission.pk).exists()


def _follow(submission: Submission) -> None:
    standings.follow(submission.participant_id, competition_id=submission.track.competition_id)
