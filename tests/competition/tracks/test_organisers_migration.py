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
AFTER = [("tracks", "0012_give_out_competitions")]
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
    add(apps, *slugs)


def add(apps: StateApps, *slugs: str) -> None:
    """Make a competition with a track and a dataset for each slug."""
    for slug in slugs:
        competition = apps.get_model("tracks", "Competition").objects.create(slug=slug, name=slug)
        track_with(apps, competition, slug, dataset_of(apps, slug))


def dataset_of(apps: StateApps, name: str) -> Any:
    return apps.get_model("tracks", "Dataset").objects.create(name=name, archive=name, digest=name, samples=1)


def track_with(apps: StateApps, competition: Any, slug: str, dataset: Any) -> Any:
    return apps.get_model("tracks", "Track").objects.create(
        competition=competition, slug=slug, name=slug, dataset=dataset
    )


def test_competitions_and_datasets_are_given_out_and_taken_back(migrate: Migrate) -> None:
    """One database for all of it: each way through the migrations takes seconds."""
    apps = migrate(BEFORE)
    fill(apps, "one")
    dataset_of(apps, "unused")

    migrate(AFTER)

    assert owners() == {"one": "one", "unused": "one"}, "the only competition gets what nobody uses"

    apps = migrate(BEFORE)
    add(apps, "two")
    shared = dataset_of(apps, "shared")
    for slug in ("two", "one"):
        track_with(
            apps, apps.get_model("tracks", "Competition").objects.get(slug=slug), f"{slug}-again", shared
        )
    apps.get_model("tracks", "BenchmarkVersion").objects.create(
        track=apps.get_model("tracks", "Track").objects.get(slug="two"),
        number=1, dataset=dataset_of(apps, "earlier"), spec={}, environment={},
    )  # fmt: skip

    migrate(latest())

    # The first to use it has it, also where that was an earlier version; of several, none gets what nobody uses.
    assert owners() == {"one": "one", "two": "two", "shared": "two", "earlier": "two", "unused": None}
    given = {
        competition.slug: [user.username for user in competition.organisers.all()]
        for competition in Competition.objects.all()
    }
    assert given == {"one": ["ada"], "two": ["ada"]}
    assert set(Competition.objects.values_list("server_folder", flat=True)) == {"."}

    first = give_two_the_data_of_one_again()

    apps = migrate(BEFORE)

    names = {"one", "two", "shared", "earlier", "unused"}
    assert set(apps.get_model("tracks", "Dataset").objects.values_list("name", flat=True)) == names
    assert apps.get_model("tracks", "Track").objects.get(slug="two").dataset_id == first.pk
    assert apps.get_model("tracks", "BenchmarkVersion").objects.get(number=2).dataset_id == first.pk


def owners() -> dict[str, str | None]:
    """Return whose each dataset is, asked as the table is: today's has more columns."""
    return dict(Dataset.objects.values_list("name", "competition__slug"))


def give_two_the_data_of_one_again() -> Dataset:
    """Make a row of its own of data that another competition has; return that one's."""
    again = Dataset.objects.create(
        competition=Competition.objects.get(slug="two"), name="again", archive="one", digest="one", samples=1
    )
    track = Track.objects.get(slug="two")
    Track.objects.filter(pk=track.pk).update(dataset=again)
    BenchmarkVersion.objects.create(track=track, number=2, digest="2", dataset=again, spec={}, environment={})
    return Dataset.objects.get(name="one")
