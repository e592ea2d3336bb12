"""A new benchmark version for a track that has scores, and its submissions scored again."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from competition.audit.models import Act
from competition.audit.recording import Actor, record
from competition.submissions import rescoring
from competition.submissions.counts import submissions_on
from competition.submissions.models import Evaluation
from competition.tracks.models import BenchmarkVersion, Track
from competition.tracks.services import renew_benchmark
from scoring.contracts import Status


@dataclass(frozen=True, kw_only=True)
class Published:
    """The version that is current now, and how many submissions were queued on it."""

    version: BenchmarkVersion
    rescored: int


def publish(*, track: Track, by: Actor = None) -> Published:
    """Make the track's current state its benchmark version and rescore; raises InvalidTrack, NotReady.

    The version is committed first: `rescoring` says why, and what becomes of the rest if this is cut short.
    """
    version = _make_current(track, by)
    rescored = rescoring.rescore_track(track=track)
    rescoring.show_finished(track)
    return Published(version=version, rescored=rescored)


@transaction.atomic
def _make_current(track: Track, by: Actor) -> BenchmarkVersion:
    """Make a version current and let the board that is shown stay until the new one is whole."""
    locked = Track.objects.select_for_update().get(pk=track.pk)
    before = locked.shown_id or locked.benchmark_id
    version = renew_benchmark(track=track)
    keeps = (
        before != version.pk and Evaluation.objects.filter(benchmark=before, status=Status.SCORED).exists()
    )
    Track.objects.filter(pk=track.pk).update(shown=before if keeps else None)
    record(
        Act.TRACK_PUBLISHED,
        track,
        by=by,
        competition_id=track.competition_id,
        before={"version": locked.benchmark_id},
        after={"version": version.pk},
    )
    return version


def submissions_to_rescore(track: Track) -> int:
    """Return how many submissions a new version would score again, those that were cancelled counted as well."""
    return submissions_on(track)
