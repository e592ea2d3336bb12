"""What participants read of a track is what their entries are held to, not what organisers type."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from competition import publishing
from competition.admin.organisers import organisers
from competition.submissions.models import Evaluation
from competition.tracks import services
from competition.tracks.binding import bound
from competition.tracks.models import Competition, Track
from scoring.tracks import parse_track
from tests.examples import rewrite, set_fields

pytestmark = pytest.mark.django_db

NEW_BUDGET = 1_234_567


@pytest.fixture
def track(track: Track) -> Track:
    """A track that is open, with its first benchmark version."""
    services.open_track(track=track)
    return track


@pytest.fixture
def changed(track: Track, evaluation: Evaluation) -> Track:
    """A track with an evaluation whose budget was changed and not published."""
    rewrite(Track.objects.get(), budgets__max_macs=NEW_BUDGET)
    return Track.objects.get(pk=track.pk)


def page(client: Client, track: Track) -> str:
    return client.get(track.get_absolute_url()).content.decode()


def test_the_published_version_binds_once_it_has_evaluations(changed: Track) -> None:
    assert bound(changed).spec() == changed.benchmark.document().spec
    assert bound(changed).spec().budgets.max_macs != NEW_BUDGET


def test_the_tracks_own_fields_bind_before_the_first_evaluation(track: Track) -> None:
    rewrite(Track.objects.get(), budgets__max_macs=NEW_BUDGET)

    assert bound(Track.objects.get(pk=track.pk)).spec().budgets.max_macs == NEW_BUDGET


def test_the_tracks_own_fields_bind_without_a_version(track: Track) -> None:
    rewrite(Track.objects.get(), is_open=False, benchmark=None, budgets__max_macs=NEW_BUDGET)

    assert bound(Track.objects.get(pk=track.pk)).spec().budgets.max_macs == NEW_BUDGET


def test_a_published_change_binds(changed: Track) -> None:
    publishing.publish(track=changed)

    assert services.has_evaluations(changed)
    assert bound(changed).spec().budgets.max_macs == NEW_BUDGET


@pytest.mark.parametrize(
    ("place", "value"), [("name", "Other"), ("rules", "Other"), ("quota_submissions", 77)]
)
def test_texts_and_quota_are_those_of_today(changed: Track, place: str, value: object) -> None:
    set_fields(changed, **{place: value})

    document = bound(changed).document()
    assert getattr(document.spec if place == "name" else document.page, place) == value


def test_names_of_classes_are_those_of_today(changed: Track) -> None:
    set_fields(
        changed, output__class_names=[f"class {number}" for number in range(changed.spec().output.width)]
    )

    assert bound(changed).spec().output.class_names == changed.spec().output.class_names


def test_names_that_fit_unpublished_classes_only_wait_with_them(changed: Track) -> None:
    set_fields(changed, output__width=3, output__class_names=["cat", "dog", "eel"])

    assert bound(changed).spec().output.class_names == ()


def test_asking_what_binds_changes_no_row(changed: Track) -> None:
    bound(changed)

    assert changed.spec().budgets.max_macs == NEW_BUDGET


def test_page_file_and_api_tell_what_binds(client: Client, changed: Track) -> None:
    published = changed.benchmark.document().spec.budgets.max_macs

    text = page(client, changed)
    file = client.get(reverse("track-yaml", args=[changed.slug])).content.decode()
    answer = client.get(reverse("api-track", args=[changed.slug])).json()

    assert f"{published:,}" in text
    assert f"{NEW_BUDGET:,}" not in text
    assert parse_track(file).spec.budgets.max_macs == published
    assert answer["budgets"]["max_macs"] == published


def test_uploads_are_held_to_the_published_size(changed: Track, alice_client: Client) -> None:
    rewrite(Track.objects.get(), archive_limits__max_entry_bytes=1)

    text = alice_client.get(reverse("submit", args=[changed.slug])).content.decode()

    assert f'data-max-bytes="{changed.benchmark.document().spec.archive_limits.max_entry_bytes}"' in text


@pytest.fixture
def alice_client(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def organiser(competition: Competition) -> Client:
    grace = User.objects.create_user("grace", is_staff=True)
    grace.groups.add(organisers())
    competition.organisers.add(grace)
    client = Client()
    client.force_login(grace)
    return client


def test_an_organiser_reads_that_changes_wait(organiser: Client, changed: Track) -> None:
    text = page(organiser, changed)

    assert "Only organisers see this" in text
    assert reverse("admin:tracks_track_publish", args=[changed.pk]) in text


def test_nobody_else_reads_of_changes_that_wait(client: Client, alice_client: Client, changed: Track) -> None:
    onlooker = Client()
    onlooker.force_login(changed.competition.organisers.create(username="linus", is_staff=True))

    texts = [page(visitor, changed) for visitor in (client, alice_client, onlooker)]

    assert not any("Only organisers see this" in text for text in texts)


def test_without_a_change_an_organiser_reads_nothing_of_it(
    organiser: Client, track: Track, evaluation: Evaluation
) -> None:
    assert "Only organisers see this" not in page(organiser, track)
