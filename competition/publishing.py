"""A new benchmark version for a track that has scores, and its submissions scored again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from competition.submissions.models import Evaluation, Submission
from competition.submissions.services import rescore_track
from competition.tracks.documents import as_json
from competition.tracks.models import BenchmarkVersion, Track
from competition.tracks.services import renew_benchmark
from scoring.contracts import Status
from scoring.tracks import PLACES_THAT_CHANGE_NO_SCORE


@dataclass(frozen=True, kw_only=True)
class Published:
    """The version that is current now, and how many submissions were queued on it."""

    version: BenchmarkVersion
    rescored: int


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One place where the track is not what its benchmark version remembers."""

    place: str
    before: str
    after: str


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


def differences(track: Track) -> tuple[Difference, ...]:
    """Return what changed in scoring since the track's benchmark version; raises InvalidTrack."""
    version = track.benchmark
    if version is None:
        return ()
    return tuple(_differences(version, track))


def _differences(version: BenchmarkVersion, track: Track) -> Iterator[Difference]:
    if track.dataset is not None and track.dataset.digest != version.dataset.digest:
        yield Difference(place="dataset", before=str(version.dataset), after=str(track.dataset))
    before, after = _flat(version.spec), _flat(as_json(track.document()))
    for place in sorted(before.keys() | after.keys()):
        if place in PLACES_THAT_CHANGE_NO_SCORE or before.get(place) == after.get(place):
            continue
        yield Difference(place=place, before=_shown(before.get(place)), after=_shown(after.get(place)))


def _flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    places: dict[str, Any] = {}
    for key, value in document.items():
        places |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return places


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "–"
    return f"{value:,}" if isinstance(value, int) else str(value)
