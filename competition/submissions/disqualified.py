"""What is disqualified: which submissions no board shows, who may not submit, and what they are told."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from competition.submissions.models import Disqualification, Submission
from competition.tracks.models import Track


def disqualified(submission: str = "") -> Exists:
    """Return whether the submission at the end of a path, or its participant, is disqualified."""
    return Exists(_of(f"{submission}__" if submission else ""))


def with_reasons(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    """Tell with each submission why it is disqualified, as `disqualified_because`; None if it is not."""
    reasons = _of("").order_by(
        F("submission_id").desc(nulls_last=True)
    )  # its own reason before the participant's
    return submissions.annotate(disqualified_because=Subquery(reasons.values("reason")[:1]))


def of_participant(participant_id: int, track: Track) -> Disqualification | None:
    """Return why somebody may not submit to a track: the disqualification from its competition."""
    found = Disqualification.objects.filter(submission=None, competition=track.competition_id)
    return found.filter(participant=participant_id).select_related("competition").first()


def _of(path: str) -> QuerySet[Disqualification]:
    """Return the disqualifications that concern the submission which an outer row leads to."""
    of_participant = Q(
        submission=None,
        competition=OuterRef(f"{path}track__competition"),
        participant=OuterRef(f"{path}participant"),
    )
    return Disqualification.objects.filter(Q(submission=OuterRef(f"{path}pk")) | of_participant)
