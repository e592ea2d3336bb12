"""A database from before competitions had organisers: staff keep what they have; and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import StateApps

from competition.tracks.models import BenchmarkVersion, Competition, Dataset, Track

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("tracks", "0010_benchmark_identity")]
Migrate = Callable[[list[tuple[str, str]]], StateApps]


@pytest.fixture
def migrate() -> Iterator[Migrate]:
    """Return a function that brings the database to a migration; at the end all are applied again."""

    def to(target: list[tuple[str, str]]) -> StateApps:
        MigrationExecutor(connection).migrate(target)
        return MigrationExecutor(connection).loader.project_state(target).apps

    yield to
    to(latest())


def latest() -> list[tuple[str, str]]:
    return MigrationExecutor(connection).loader.graph.leaf_nodes()


def fill(apps: StateApps, *slugs: str) -> None:
    """Make staff of every kind, and a competition with a track and a dataset for each slug."""
    users = User.objects
    users.create(username="ada", is_staff=True)
    users.create(username="root", is_staff=True, is_superuser=True)
    users.create(username="pia")
    for slug in slugs:
        competition = apps.get_model("tracks", "Competition").objects.create(slug=slug, name=slug)
        track_with(apps, competition, slug, dataset_of(apps, slug))


def dataset_of(apps: StateApps, name: str) -> Any:
    return apps.get_model("tracks", "Dataset").objects.create(name=name, archive=name, digest=name, samples=1)


def track_with(apps: StateApps, competition: Any, slug: str, dataset: Any) -> Any:
    return apps.get_model("tracks", "Track").objects.create(
        competition=competition, slug=slug, name=slug, dataset=dataset
    )


def test_staff_are_given_every_competition_and_its_server_folders(migrate: Migrate) -> None:
    fill(migrate(BEFORE), "one", "two")

    migrate(latest())

    given = {
        competition.slug: [user.username for user in competition.organisers.all()]
        for competition in Competition.objects.all()
    }
    assert given == {"one": ["ada"], "two": ["ada"]}
    assert set(Competition.objects.values_list("server_folder", flat=True)) == {"."}


def test_a_dataset_goes_to_the_competition_that_used_it_first(migrate: Migrate) -> None:
    apps = migrate(BEFORE)
    fill(apps, "one", "two")
    shared = dataset_of(apps, "shared")
    for slug in ("two", "one"):
        competition = apps.get_model("tracks", "Competition").objects.get(slug=slug)
        track_with(apps, competition, f"{slug}-again", shared)
    dataset_of(apps, "unused")

    migrate(latest())

    owners = {
        dataset.name: dataset.competition and dataset.competition.slug for dataset in Dataset.objects.all()
    }
    assert owners == {"one": "one", "two": "two", "shared": "two", "unused": None}


def test_an_unused_dataset_goes_to_the_only_competition(migrate: Migrate) -> None:
    apps = migrate(BEFORE)
    fill(apps, "one")
    dataset_of(apps, "unused")

    migrate(latest())

    assert Dataset.objects.get(name="unused").competition.slug == "one"


def test_a_dataset_of_an_earlier_version_goes_to_its_track(migrate: Migrate) -> None:
    apps = migrate(BEFORE)
    fill(apps, "one", "two")
    apps.get_model("tracks", "BenchmarkVersion").objects.create(
        track=apps.get_model("tracks", "Track").objects.get(slug="two"),
        number=1, dataset=dataset_of(apps, "earlier"), spec={}, environment={},
    )  # fmt: skip

    migrate(latest())

    assert Dataset.objects.get(name="earlier").competition.slug == "two"


def test_the_way_back_joins_rows_of_equal_data(migrate: Migrate) -> None:
    apps = migrate(BEFORE)
    fill(apps, "one", "two")
    migrate(latest())
    first = Dataset.objects.get(name="one")
    again = Dataset.objects.create(
        competition=Competition.objects.get(slug="two"), name="again", archive="one", digest="one", samples=1
    )
    track = Track.objects.get(slug="two")
    Track.objects.filter(pk=track.pk).update(dataset=again)
    BenchmarkVersion.objects.create(track=track, number=1, dataset=again, spec={}, environment={})

    apps = migrate(BEFORE)

    assert set(apps.get_model("tracks", "Dataset").objects.values_list("name", flat=True)) == {"one", "two"}
    assert apps.get_model("tracks", "Track").objects.get(slug="two").dataset_id == first.pk
    assert apps.get_model("tracks", "BenchmarkVersion").objects.get().dataset_id == first.pk
