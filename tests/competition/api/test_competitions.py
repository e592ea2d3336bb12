from datetime import timedelta

import pytest
from django.utils import timezone

from competition.tracks.models import Competition, Milestone, News

pytestmark = pytest.mark.django_db


def test_a_list_tells_the_phase_and_the_counts_of_tracks(client, track):
    [row] = client.get("/api/competitions/").json()["results"]

    assert (row["slug"], row["phase"]) == (track.competition.slug, "running")
    assert row["tracks"][0]["participants"] == row["tracks"][0]["entries"] == 0
    assert row["tracks"][0]["best"] is None


def test_words_narrow_the_list(client, track):
    assert client.get("/api/competitions/?q=penguins").json()["results"] == []


def test_a_competition_tells_texts_dates_and_news(client, track):
    now = timezone.now()
    Competition.objects.update(rules="Be **kind**.", host="A lab", results_at=now)
    Milestone.objects.create(competition=track.competition, name="Workshop", at=now + timedelta(days=9))
    News.objects.create(competition=track.competition, title="Welcome", text="*Hello*", published_at=now)
    News.objects.create(
        competition=track.competition, title="Later", text="x", published_at=now + timedelta(days=1)
    )

    shown = client.get(f"/api/competitions/{track.competition.slug}/").json()

    assert (shown["rules"], shown["host"]) == ("Be **kind**.", "A lab")
    assert [event["name"] for event in shown["calendar"]][-2:] == ["Results", "Workshop"]
    assert [item["title"] for item in shown["news"]] == ["Welcome"]


def test_a_hidden_competition_is_not_found(client, track):
    Competition.objects.update(is_public=False)

    assert client.get(f"/api/competitions/{track.competition.slug}/").status_code == 404
    assert client.get("/api/competitions/").json()["results"] == []
