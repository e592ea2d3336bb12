"""A database from before benchmark versions knew their reader and packages: forwards, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from competition import publishing
from competition.tracks.differences import differences
from competition.tracks.documents import as_json
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import METRIC_FACTS, Quantisation, TrackSpec
from scoring.tracks import TrackDocument, load_track, presets
from tests.competition.tracks.young_fields import as_of_old, without_young

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("tracks", "0008_class_names_and_quantisation")]
Target = list[tuple[str, str]]
DIGEST_OF_DATA = "sha256:" + "d" * 64


@pytest.fixture
def migrate() -> Iterator[Callable[[Target], StateApps]]:
    """Return a function that brings the database to a migration; at the end all are applied again."""

    def to(target: Target) -> StateApps:
        MigrationExecutor(connection).migrate(target)
        return MigrationExecutor(connection).loader.project_state(target).apps

    yield to
    to(latest())


def latest() -> Target:
    """Return the newest migrations, which the models of today need."""
    return MigrationExecutor(connection).loader.graph.leaf_nodes()


def old_spec_digest(spec: TrackSpec) -> str:
    """Return the digest as releases before 0010 made it."""
    facts = asdict(spec)
    facts["budgets"] = without_young("budgets", facts["budgets"])
    del facts["slug"], facts["name"], facts["output"]["class_names"]
    if spec.quantisation is None:
        del facts["quantisation"]
    else:
        facts["quantisation"] = without_young("quantisation", facts["quantisation"])
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def old_columns(document: TrackDocument) -> dict[str, Any]:
    """Return the columns of a track as releases before 0010 kept it."""
    spec = document.spec
    given, returned = spec.input, spec.output
    columns: dict[str, Any] = {
        "slug": spec.slug,
        "name": spec.name,
        "formats": list(spec.formats),
        "reader": given.reader,
        "input_shape": list(given.shape),
        "input_fit": given.fit,
        "input_mean": None if given.mean is None else list(given.mean),
        "input_std": None if given.std is None else list(given.std),
        "frame_rate": given.frame_rate,
        "sample_rate": given.sample_rate,
        "input_dtype": given.dtype,
        "input_low": given.low,
        "input_high": given.high,
        "channel_order": given.channel_order,
        "output_kind": returned.kind,
        "output_width": returned.width,
        "output_classes": returned.classes,
        "box_layout": returned.box_layout or "",
        "class_names": list(returned.class_names),
        "metric": spec.metric,
        "extra_metrics": list(spec.extra_metrics),
    }
    second = spec.quantisation or Quantisation()
    columns |= without_young("budgets", asdict(spec.budgets))
    columns |= without_young("run_limits", asdict(spec.run_limits))
    columns |= without_young("page", asdict(document.page))
    columns |= without_young("quantisation", asdict(second)) | asdict(spec.archive_limits)
    return columns | {"precision": second.precision if spec.quantisation else ""}


def old_row(document: TrackDocument) -> dict[str, Any]:
    """Return the columns of a benchmark version as releases before 0010 made it."""
    spec = document.spec
    metrics = ",".join(f"{one}={METRIC_FACTS[one].version}" for one in (spec.metric, *spec.extra_metrics))
    text = "\n".join((DIGEST_OF_DATA, old_spec_digest(spec), metrics))
    return {
        "number": 1,
        "spec": as_json(document),
        "spec_digest": old_spec_digest(spec),
        "metric_version": metrics,
        "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest(),
    }


def documents() -> list[TrackDocument]:
    """Return every preset, each once plain and once with a second score."""
    plain = [as_of_old(load_track(preset)) for preset in presets()]
    quantised = [
        replace(
            document,
            spec=replace(
                document.spec,
                slug=f"{document.spec.slug}-w8a8",
                quantisation=Quantisation(calibration_samples=50),
            ),
        )
        for document in plain
    ]
    return plain + quantised


def populate(apps: StateApps) -> dict[str, str]:
    """Fill the old database with a track and its version for each document; return the digests by slug."""
    competition = apps.get_model("tracks", "Competition").objects.create(slug="old", name="Old")
    dataset = apps.get_model("tracks", "Dataset").objects.create(
        name="d", archive="x", digest=DIGEST_OF_DATA, samples=4
    )
    tracks, versions = apps.get_model("tracks", "Track"), apps.get_model("tracks", "BenchmarkVersion")
    digests = {}
    for document in documents():
        track = tracks.objects.create(competition=competition, dataset=dataset, **old_columns(document))
        track.benchmark = versions.objects.create(track=track, dataset=dataset, **old_row(document))
        track.save()
        digests[track.slug] = track.benchmark.digest
    return digests


def test_existing_versions_keep_what_they_are_forward_and_back(
    migrate: Callable[[Target], StateApps],
) -> None:
    """One database for all of it: each way through the migrations takes seconds."""
    digests = populate(migrate(BEFORE))

    apps = migrate(latest())

    kept = {version.track.slug: version.digest for version in BenchmarkVersion.objects.all()}
    assert kept == digests
    assert {track.slug: differences(track) for track in Track.objects.all()} == dict.fromkeys(digests, ())
    remember_the_reader_and_the_packages_of_their_time(apps)
    start_no_board_when_published(digests)

    versions = migrate(BEFORE).get_model("tracks", "BenchmarkVersion").objects
    assert {version.track.slug: version.digest for version in versions.all()} == digests
    assert not hasattr(versions.first(), "environment")


def remember_the_reader_and_the_packages_of_their_time(apps: StateApps) -> None:
    versions = apps.get_model("tracks", "BenchmarkVersion").objects
    found = {version.track.slug: version.reader_version for version in versions.all()}
    assert (found["gasbench-video"], found["gasbench-audio"]) == ("video=1", "audio=1")
    assert (found["cvpr2022-track1"], found["byom-detection-w8a8"]) == ("image=1", "image=1")
    assert {version.environment["torch"] for version in versions.all()} == {"2.13.0"}


def start_no_board_when_published(digests: dict[str, str]) -> None:
    for track in Track.objects.all():
        publishing.publish(track=track)

    assert BenchmarkVersion.objects.count() == len(digests)
