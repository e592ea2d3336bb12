"""How many submissions and participants a track has: kept with each submission, never counted for a page."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import Count, F, Sum

from competition.submissions.models import Participation, Submission, TrackCounts
from competition.tracks.models import Track

ROWS_AT_ONCE: Final = 1_000


def count_submission(submission: Submission) -> None:
    """Count a submission, as the last part of the transaction that stores it.

    Everybody who uploads to the track waits for this row, so it is held only until the commit that follows.
    """
    counts = _locked(submission.track_id)
    own, is_first = Participation.objects.get_or_create(
        track_id=submission.track_id, participant_id=submission.participant_id
    )
    Participation.objects.filter(pk=own.pk).update(submissions=F("submissions") + 1)
    TrackCounts.objects.filter(pk=counts.pk).update(
        submissions=F("submissions") + 1, participants=F("participants") + int(is_first)
    )


def submissions_by(participant_id: int, *, track_slug: str = "") -> int:
    """Return how many submissions somebody made, to one track if asked."""
    rows = Participation.objects.filter(participant_id=participant_id)
    if track_slug:
        rows = rows.filter(track__slug=track_slug)
    return rows.aggregate(total=Sum("submissions"))["total"] or 0


def submissions_on(track: Track) -> int:
    """Return how many submissions a track has."""
    return TrackCounts.objects.filter(track=track).values_list("submissions", flat=True).first() or 0


def examine(track: Track) -> int:
    """Return how many of the track's counts are not what counting gives; write nothing."""
    return len(_differences(track)) + (_totals(track) != _kept_totals(track))


@transaction.atomic
def rebuild(track: Track) -> int:
    """Make the track's counts what counting gives; return how many had to change."""
    counts = _locked(track.pk)  # who uploads waits here, having counted nothing yet
    wrong, right = examine(track), _differences(track)
    nobody = [participant_id for participant_id, submissions in right.items() if not submissions]
    Participation.objects.filter(track=track, participant__in=nobody).delete()
    Participation.objects.bulk_create(
        (Participation(track=track, participant_id=key, submissions=n) for key, n in right.items() if n),
        batch_size=ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["track", "participant"],
        update_fields=["submissions"],
    )
    participants, submissions = _totals(track)
    TrackCounts.objects.filter(pk=counts.pk).update(participants=participants, submissions=submissions)
    return wrong


def _locked(track_id: int) -> TrackCounts:
    TrackCounts.objects.get_or_create(track_id=track_id)
    return TrackCounts.objects.select_for_update().get(track_id=track_id)


def _differences(track: Track) -> dict[int, int]:
    """Return the right count of each participant whose kept one is wrong."""
    counted = Submission.objects.filter(track=track).order_by().values_list("participant_id")
    right = dict(counted.annotate(n=Count("pk")))
    kept = dict(Participation.objects.filter(track=track).values_list("participant_id", "submissions"))
    return {key: right.get(key, 0) for key in right.keys() | kept.keys() if right.get(key) != kept.get(key)}


def _totals(track: Track) -> tuple[int, int]:
    """Return participants and submissions as counting gives them."""
    found = Submission.objects.filter(track=track).aggregate(
        participants=Count("participant", distinct=True), submissions=Count("pk")
    )
    return found["participants"], found["submissions"]


def _kept_totals(track: Track) -> tuple[int, int]:
    kept = TrackCounts.objects.filter(track=track).values_list("participants", "submissions").first()
    return kept or (0, 0)
