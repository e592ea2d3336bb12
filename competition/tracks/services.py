"""Acts on tracks: open, close, clone, bring in line with a document, give a benchmark version."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from competition.tracks.columns import columns_of
from competition.tracks.datasets import import_dataset, import_dataset_folder
from competition.tracks.documents import as_json
from competition.tracks.models import BenchmarkVersion, Competition, Dataset, Track, benchmark_digest
from competition.tracks.readiness import Check, examine
from scoring.contracts import METRIC_FACTS, TrackSpec
from scoring.data.labels import DatasetProblem
from scoring.tracks import TRACK_FIELDS, InvalidTrack, TrackDocument, value_of

__all__ = [
    "DatasetProblem",
    "NotReady",
    "Outcome",
    "Synced",
    "assign_dataset",
    "bring_in_line",
    "clone_track",
    "close_track",
    "differs_from_benchmark",
    "differs_from_published",
    "has_evaluations",
    "import_dataset",
    "import_dataset_folder",
    "open_track",
    "renew_benchmark",
]

COPY_SUFFIX: Final = " (copy)"
MAX_NAME: Final = 120
NOT_COPIED: Final = ("id", "slug", "name", "is_open", "benchmark", "created_at")


class NotReady(Exception):
    """The track cannot open; `checks` are the ones that failed."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        self.checks = checks
        super().__init__("; ".join(check.message for check in checks))


class Outcome(StrEnum):
    """What became of a track that was brought in line with a document."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class Synced:
    """A track brought in line with a document, and the places that changed."""

    track: Track
    outcome: Outcome
    changed: tuple[str, ...] = ()


@transaction.atomic
def renew_benchmark(*, track: Track) -> BenchmarkVersion:
    """Make and set a new benchmark version if dataset, spec or metric changed, else return the current.

    A version that the track had before is taken up again. Raises InvalidTrack, or NotReady without
    a dataset.
    """
    locked = Track.objects.select_for_update().get(pk=track.pk)
    if locked.dataset is None:
        raise NotReady((Check(name="Dataset", ok=False, message="The track has no dataset."),))
    document = locked.document()
    identity = _identity(locked.dataset, document.spec)
    version = BenchmarkVersion.objects.filter(track=locked, digest=identity).first()
    if version is None:
        last = BenchmarkVersion.objects.filter(track=locked).aggregate(last=Max("number"))["last"] or 0
        version = BenchmarkVersion.objects.create(
            track=locked,
            number=last + 1,
            dataset=locked.dataset,
            spec=as_json(document),
            spec_digest=document.spec.digest(),
            metric_version=_metric_version(document.spec),
            digest=identity,
        )
    Track.objects.filter(pk=locked.pk).update(benchmark=version)
    track.benchmark = version
    return version


def differs_from_benchmark(track: Track) -> bool:
    """Say whether the track's fields or dataset are no longer what its evaluations are held to."""
    if track.benchmark is None:
        return False
    try:
        spec = track.spec()
    except InvalidTrack:
        return True
    return track.dataset is None or _identity(track.dataset, spec) != track.benchmark.digest


def differs_from_published(track: Track) -> bool:
    """Say whether changes wait to be published: evaluations are held to what the track was before them."""
    return has_evaluations(track) and differs_from_benchmark(track)


def has_evaluations(track: Track) -> bool:
    """Say whether anything was evaluated, or waits to be, on the track's current benchmark version."""
    return track.benchmark is not None and track.benchmark.evaluations.exists()


@transaction.atomic
def open_track(*, track: Track) -> None:
    """Open the track; raises NotReady with the failed checks.

    A benchmark version that already has evaluations stays: only publishing replaces it.
    """
    failed = tuple(check for check in examine(track, now=timezone.now()) if not check.ok)
    if failed:
        raise NotReady(failed)
    if not has_evaluations(track):
        renew_benchmark(track=track)
    Track.objects.filter(pk=track.pk).update(is_open=True)
    track.is_open = True


def close_track(*, track: Track) -> None:
    """Hide the track and take no more submissions; what was submitted is still evaluated."""
    Track.objects.filter(pk=track.pk).update(is_open=False)
    track.is_open = False


@transaction.atomic
def assign_dataset(*, track: Track, dataset: Dataset) -> None:
    """Give the track a dataset; an open track without evaluations gets its benchmark version at once."""
    Track.objects.filter(pk=track.pk).update(dataset=dataset)
    track.dataset = dataset
    if track.is_open and not has_evaluations(track):
        renew_benchmark(track=track)


def clone_track(*, track: Track, slug: str) -> Track:
    """Copy a track, its dataset too, under another slug; the copy is closed and has no scores."""
    columns = {
        field.attname: getattr(track, field.attname)
        for field in Track._meta.concrete_fields
        if field.name not in NOT_COPIED
    }
    clone = Track(**columns, slug=slug, name=_name_of_copy(track.name))
    clone.full_clean()
    clone.save()
    return clone


@transaction.atomic
def bring_in_line(*, document: TrackDocument, competition: Competition, dataset: Dataset | None) -> Synced:
    """Create or update the document's track and say what changed; raises InvalidTrack.

    An open track with evaluations keeps its benchmark version until a new one is published.
    """
    columns = columns_of(document)
    if dataset is not None:
        columns["dataset"] = dataset
    track = Track.objects.select_for_update().filter(slug=document.spec.slug).first()
    if track is None:
        created = Track(competition=competition, **columns)
        created.save()
        return Synced(track=created, outcome=Outcome.CREATED)
    if track.competition_id != competition.pk:
        raise InvalidTrack(
            (f"slug: “{track.slug}” is a track of the competition “{track.competition.slug}”",)
        )
    changed = _changed_places(track, document)
    if dataset is not None and dataset != track.dataset:
        changed = (*changed, "dataset")
    if not changed:
        return Synced(track=track, outcome=Outcome.UNCHANGED)
    for name, value in columns.items():
        setattr(track, name, value)
    track.save(update_fields=columns)
    if track.is_open and not has_evaluations(track):
        renew_benchmark(track=track)
    return Synced(track=track, outcome=Outcome.UPDATED, changed=changed)


def _changed_places(track: Track, document: TrackDocument) -> tuple[str, ...]:
    """Return the fields that are not what the document says: all of a track that holds no document yet."""
    try:
        before = track.document()
    except InvalidTrack:
        return tuple(field.place for field in TRACK_FIELDS.all)
    return tuple(
        field.place for field in TRACK_FIELDS.all if value_of(field, before) != value_of(field, document)
    )


def _identity(dataset: Dataset, spec: TrackSpec) -> str:
    return benchmark_digest(
        dataset_digest=dataset.digest, spec_digest=spec.digest(), metric_version=_metric_version(spec)
    )


def _metric_version(spec: TrackSpec) -> str:
    return ",".join(
        f"{metric}={METRIC_FACTS[metric].version}" for metric in (spec.metric, *spec.extra_metrics)
    )


def _name_of_copy(name: str) -> str:
    return name[: MAX_NAME - len(COPY_SUFFIX)] + COPY_SUFFIX
