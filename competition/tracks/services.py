"""Acts on tracks: open, close, clone, bring in line with a document, give a benchmark version."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import Max

from competition.audit.models import Act
from competition.audit.recording import Actor, record, record_change
from competition.audit.recording import columns_of as recorded_columns
from competition.clock import database_now
from competition.tracks.columns import columns_of
from competition.tracks.datasets import forget_dataset, import_dataset, import_dataset_folder
from competition.tracks.differences import (
    Difference,
    as_text,
    changed_versions,
    differences,
    differences_from,
    identity,
    in_words,
    versions_of,
    versions_with,
)
from competition.tracks.documents import as_json
from competition.tracks.models import BenchmarkVersion, Competition, Dataset, Track
from competition.tracks.readiness import Check, environment_checks, examine
from scoring.data.labels import DatasetProblem
from scoring.environment import entry_environment
from scoring.tracks import TRACK_FIELDS, InvalidTrack, TrackDocument, value_of

__all__ = [
    "DatasetProblem",
    "NotReady",
    "SyncOutcome",
    "Synced",
    "assign_dataset",
    "bring_in_line",
    "clone_track",
    "close_track",
    "forget_dataset",
    "has_evaluations",
    "import_dataset",
    "import_dataset_folder",
    "open_track",
    "renew_benchmark",
    "renew_unused_benchmark",
    "unpublished",
    "unpublished_in_words",
]

COPY_SUFFIX: Final = " (copy)"
MAX_NAME: Final = 120
NOT_COPIED: Final = ("id", "slug", "name", "is_open", "benchmark", "paused_at", "created_at")


class NotReady(Exception):
    """The track cannot open; `checks` are the ones that failed."""

    def __init__(self, checks: tuple[Check, ...]) -> None:
        self.checks = checks
        super().__init__("; ".join(check.message for check in checks))


class SyncOutcome(StrEnum):
    """What became of a track that was brought in line with a document."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class Synced:
    """A track brought in line with a document, and the places that changed."""

    track: Track
    outcome: SyncOutcome
    changed: tuple[str, ...] = ()


@transaction.atomic
def renew_benchmark(*, track: Track) -> BenchmarkVersion:
    """Make and set a new benchmark version if anything that decides scores changed, else return the current.

    A version that the track had before is taken up again. Raises InvalidTrack, or NotReady without
    a dataset or with an environment that is not known here.
    """
    locked = Track.objects.select_for_update().get(pk=track.pk)
    if locked.dataset is None:
        raise NotReady((Check(name="Dataset", ok=False, message="The track has no dataset."),))
    unfit = tuple(check for check in environment_checks(locked.document().spec) if not check.ok)
    if unfit:
        raise NotReady(unfit)
    version = _same_version(locked) or _new_version(locked, locked.dataset, locked.document())
    Track.objects.filter(pk=locked.pk).update(benchmark=version)
    track.benchmark = version
    return version


def _same_version(track: Track) -> BenchmarkVersion | None:
    """Return the version that the track does not differ from: the current one, or one that it had before."""
    versions = BenchmarkVersion.objects.filter(track=track).select_related("dataset").order_by("-number")
    current_first = sorted(versions, key=lambda version: version.pk != track.benchmark_id)
    return next((version for version in current_first if not differences_from(version, track)), None)


def _new_version(track: Track, dataset: Dataset, document: TrackDocument) -> BenchmarkVersion:
    last = BenchmarkVersion.objects.filter(track=track).aggregate(last=Max("number"))["last"] or 0
    versions = versions_with(entry_environment()).of(document.spec)
    return BenchmarkVersion.objects.create(
        track=track,
        number=last + 1,
        dataset=dataset,
        spec=as_json(document),
        spec_digest=document.spec.digest(),
        reader_version=as_text(versions.readers),
        metric_version=as_text(versions.metrics),
        environment=dict(versions.environment),
        digest=identity(dataset, document.spec, versions),
    )


@transaction.atomic
def renew_unused_benchmark(*, track: Track) -> BenchmarkVersion:
    """Return the version that a new entry is held to, first brought up to date if nothing is held to it yet.

    Fields and dataset renew an unused version as they change; an upgrade of Podium or of its packages
    changes no row. Raises as `renew_benchmark` does.
    """
    current = track.benchmark
    if current is None:
        return renew_benchmark(track=track)
    now = versions_with(entry_environment())
    if current.evaluations.exists() or not changed_versions(versions_of(current), now):
        return current
    return renew_benchmark(track=track)


def unpublished(track: Track) -> tuple[Difference, ...]:
    """Return the changes that wait to be published: evaluations are held to what was before them."""
    return differences(track) if has_evaluations(track) else ()


def unpublished_in_words(track: Track) -> tuple[str, ...]:
    """Return a sentence for each aspect of the changes that wait to be published."""
    return () if track.benchmark is None else in_words(unpublished(track), track.benchmark)


def has_evaluations(track: Track) -> bool:
    """Say whether anything was evaluated, or waits to be, on the track's current benchmark version."""
    return track.benchmark is not None and track.benchmark.evaluations.exists()


@transaction.atomic
def open_track(*, track: Track, by: Actor = None) -> None:
    """Open the track; raises NotReady with the failed checks.

    A benchmark version that already has evaluations stays: only publishing replaces it.
    """
    failed = tuple(check for check in examine(track, now=database_now()) if not check.ok)
    if failed:
        raise NotReady(failed)
    if not has_evaluations(track):
        renew_benchmark(track=track)
    _set_open(track, is_open=True, by=by)


@transaction.atomic
def close_track(*, track: Track, by: Actor = None) -> None:
    """Hide the track and stop accepting submissions; earlier ones are still evaluated."""
    _set_open(track, is_open=False, by=by)


def _set_open(track: Track, *, is_open: bool, by: Actor) -> None:
    before, after = {"is_open": track.is_open}, {"is_open": is_open}
    Track.objects.filter(pk=track.pk).update(is_open=is_open)
    track.is_open = is_open
    act = Act.TRACK_OPENED if is_open else Act.TRACK_CLOSED
    record(act, track, by=by, competition_id=track.competition_id, before=before, after=after)


@transaction.atomic
def assign_dataset(*, track: Track, dataset: Dataset, by: Actor = None) -> None:
    """Give the track a dataset; an open track without evaluations gets its benchmark version at once."""
    before, after = _named(track.dataset), _named(dataset)
    Track.objects.filter(pk=track.pk).update(dataset=dataset)
    track.dataset = dataset
    own = track.competition_id
    record(Act.DATASET_ASSIGNED, track, by=by, competition_id=own, before=before, after=after)
    if track.is_open and not has_evaluations(track):
        renew_benchmark(track=track)


def _named(dataset: Dataset | None) -> dict[str, str | None]:
    if dataset is None:
        return {"dataset": None, "digest": None}
    return {"dataset": dataset.name, "digest": dataset.digest}


@transaction.atomic
def clone_track(*, track: Track, slug: str, by: Actor = None) -> Track:
    """Copy a track, its dataset too, under another slug; the copy is closed and has no scores."""
    columns = {
        field.attname: getattr(track, field.attname)
        for field in Track._meta.concrete_fields
        if field.name not in NOT_COPIED
    }
    clone = Track(**columns, slug=slug, name=_name_of_copy(track.name))
    clone.full_clean()
    clone.save()
    _record_created(clone, by)
    return clone


def _record_created(track: Track, by: Actor) -> None:
    own, after = track.competition_id, recorded_columns(track)
    record(Act.TRACK_CREATED, track, by=by, competition_id=own, after=after)


@transaction.atomic
def bring_in_line(
    *, document: TrackDocument, competition: Competition, dataset: Dataset | None, by: Actor = None
) -> Synced:
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
        _record_created(created, by)
        return Synced(track=created, outcome=SyncOutcome.CREATED)
    if track.competition_id != competition.pk:
        raise InvalidTrack(
            (f"slug: “{track.slug}” is a track of the competition “{track.competition.slug}”",)
        )
    changed = _changed_places(track, document)
    if dataset is not None and dataset != track.dataset:
        changed = (*changed, "dataset")
    if not changed:
        return Synced(track=track, outcome=SyncOutcome.UNCHANGED)
    before = recorded_columns(track)
    for name, value in columns.items():
        setattr(track, name, value)
    track.save(update_fields=columns)
    own, after = track.competition_id, recorded_columns(track)
    record_change(Act.TRACK_EDITED, track, before, after, by=by, competition_id=own)
    if track.is_open and not has_evaluations(track):
        renew_benchmark(track=track)
    return Synced(track=track, outcome=SyncOutcome.UPDATED, changed=changed)


def _changed_places(track: Track, document: TrackDocument) -> tuple[str, ...]:
    """Return the fields that are not what the document says: all of a track that holds no document yet."""
    try:
        before = track.document()
    except InvalidTrack:
        return tuple(field.place for field in TRACK_FIELDS.all)
    return tuple(
        field.place for field in TRACK_FIELDS.all if value_of(field, before) != value_of(field, document)
    )


def _name_of_copy(name: str) -> str:
    return name[: MAX_NAME - len(COPY_SUFFIX)] + COPY_SUFFIX
