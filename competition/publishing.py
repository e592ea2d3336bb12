"""A new benchmark version for a track that has scores, and its submissions scored again."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from competition.submissions.models import Evaluation, Submission
from competition.submissions.services import rescore_track
from competition.tracks.models import BenchmarkVersion, Track
from competition.tracks.services import renew_benchmark
from scoring.contracts import Status


@dataclass(frozen=True, kw_only=True)
class Published:
    """The version that is current now, and how many submissions were queued on it."""

    version: BenchmarkVersion
    rescored: int


@transaction.atomic
def publish(*, track: Track) -> Published:
    """Make the track's current state its benchmark version and rescore; raises InvalidTrack, NotReady."""
    version = renew_benchmark(track=track)
    return Published(version=version, rescored=rescore_track(track=track))


def submissions_to_rescore(track: Track) -> int:
    """Return how many submissions a new version would score again: those that were not only cancelled."""
    return _kept(track).count()


def submissions_left_out(track: Track) -> int:
    """Return how many of them have no evaluation on the track's present version."""
    on_it = Evaluation.objects.filter(submission=OuterRef("pk"), benchmark=track.benchmark)
    return _kept(track).filter(~Exists(on_it)).count()


def _kept(track: Track) -> QuerySet[Submission]:
    kept = Count("evaluations", filter=~Q(evaluations__status=Status.CANCELLED))
    return Submission.objects.filter(track=track).annotate(kept=kept).filter(kept__gt=0)


def unfinished(track: Track) -> int:
    """Return how many evaluations of the track wait or run."""
    alive = (Status.QUEUED, Status.RUNNING)
    return Evaluation.objects.filter(submission__track=track, status__in=alive).count()
