from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from scoring.tracks import parse_track

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_track(make_track):
    return make_track("open-one", rules="Only **calm** models.")


@pytest.fixture
def closed_preview(make_track):
    track = make_track("secret-one")
    track.is_open = False
    track.save()
    return track


def test_the_empty_front_page_tells_an_organiser_what_to_do(client):
    response = client.get("/")

    assert response.status_code == 200
    assert "createsuperuser" in response.content.decode()


def test_the_front_page_lists_open_tracks(client, open_track):
    assert open_track.get_absolute_url() in client.get("/").content.decode()


def test_a_track_that_is_not_open_is_on_no_public_page(client, open_track, closed_preview):
    assert closed_preview.name not in client.get("/").content.decode()
    assert client.get(closed_preview.get_absolute_url()).status_code == 404


def test_a_hidden_competition_is_not_found(client, open_track):
    open_track.competition.is_public = False
    open_track.competition.save()

    assert client.get(open_track.competition.get_absolute_url()).status_code == 404
    assert client.get(open_track.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("name", ["track-yaml", "leaderboard", "leaderboard-csv", "leaderboard-json"])
def test_nothing_of_a_track_that_is_not_open_can_be_fetched(client, closed_preview, name):
    assert client.get(reverse(name, args=[closed_preview.slug])).status_code == 404


def test_staff_preview_a_track_that_is_not_open(client, closed_preview, staff):
    client.force_login(staff)

    assert "organisers only" in client.get(closed_preview.get_absolute_url()).content.decode()


def test_the_track_page_shows_rules_budgets_and_the_example(client, open_track):
    text = client.get(open_track.get_absolute_url()).content.decode()

    assert "<strong>calm</strong>" in text
    assert "30,000,000" in text
    assert "class Model(nn.Module)" in text


@pytest.mark.parametrize(
    ("private_samples", "words"), [(0, "none: all samples are public"), (1, "shown after the track closes")]
)
def test_private_scores_are_promised_where_there_are_private_samples(
    client, open_track, private_samples, words
):
    open_track.benchmark.dataset.private_samples = private_samples
    open_track.benchmark.dataset.save()

    text = client.get(open_track.get_absolute_url()).content.decode()

    assert f"<dt>Private scores</dt><dd>{words}</dd>" in text


def test_the_track_page_lists_its_classes_by_number(client, make_track):
    track = make_track("named", output__width=2, output__class_names=["cat", "<dog>"])

    text = client.get(track.get_absolute_url()).content.decode()

    assert '<li><span class="class-list-number">1</span> &lt;dog&gt;</li>' in text
    assert "2 classes, by number" not in text


def test_a_long_list_of_classes_is_folded(client, make_track):
    track = make_track(
        "named", output__width=13, output__class_names=[f"class {number}" for number in range(13)]
    )

    text = client.get(track.get_absolute_url()).content.decode()

    assert "<summary>13 classes, by number</summary>" in text


def test_the_track_page_tells_of_a_second_precision(client, make_track):
    track = make_track("quantised", quantisation__precision="w8a8")

    assert "also run in w8a8" in client.get(track.get_absolute_url()).content.decode()


def test_before_the_window_nobody_is_invited_to_submit(client, make_track):
    track = make_track("later", opens_at=timezone.now() + timedelta(days=1))

    text = client.get(track.get_absolute_url()).content.decode()

    assert "Opens later" in text
    assert reverse("submit", args=[track.slug]) not in text


def test_the_served_track_yaml_is_the_tracks_own_document(client, open_track):
    text = client.get(reverse("track-yaml", args=[open_track.slug])).content.decode()

    assert parse_track(text) == open_track.document()


def test_env_txt_is_plain_text(client):
    response = client.get(reverse("environment"))

    assert response["Content-Type"].startswith("text/plain")
    assert b"torch" in b"".join(response)


def test_site_and_worker_packages_are_not_what_entries_can_import(client, open_track):
    text = client.get(open_track.get_absolute_url()).content.decode()

    assert "torch==" in text
    assert "Django==" not in text
    assert "celery==" not in text


def test_a_track_with_an_environment_shows_its_list_and_how_to_install_it(
    client, make_track, own_environment
):
    track = make_track("own", environment=own_environment)

    text = client.get(track.get_absolute_url()).content.decode()
    served = client.get(reverse("track-environment", args=[track.slug]))

    assert "einops==0.8.2" in text
    assert f"podium environment install {own_environment} --from {own_environment}.txt" in text
    assert b"einops==0.8.2" in b"".join(served)
    assert f'filename="{own_environment}.txt"' in served["Content-Disposition"]


def test_a_list_that_is_not_on_the_site_is_not_served(client, make_track):
    track = make_track("own", environment="nowhere-1.0")

    assert client.get(reverse("track-environment", args=[track.slug])).status_code == 404
    assert "Packages that entries can import" not in client.get(track.get_absolute_url()).content.decode()


def test_pages_answer_to_get_only(client, open_track):
    assert client.post(open_track.get_absolute_url()).status_code == 405
