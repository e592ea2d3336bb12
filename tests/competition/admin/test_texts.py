"""Texts, pictures, dates and news of a competition in the admin."""

from io import BytesIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from competition.audit.models import AuditRecord
from competition.tracks.models import Competition, Picture
from tests.competition.admin.browsing import fields_of

pytestmark = pytest.mark.django_db

PREVIEW = "/admin/tracks/competition/preview/"


def png() -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", (8, 4)).save(out, "PNG")
    return SimpleUploadedFile("chart.png", out.getvalue())


def address_of(competition: Competition) -> str:
    return f"/admin/tracks/competition/{competition.pk}/change/"


def edit(client: Client, competition: Competition, **changes: object):
    return client.post(address_of(competition), {**fields_of(client, address_of(competition)), **changes})


def test_a_preview_shows_what_the_page_will(organiser: Client, competition: Competition) -> None:
    Picture.objects.create(competition=competition, name="chart", width=8, height=4, sha256="0" * 64)

    asked = {"field": "rules", "rules": "**a** ![b](chart) <script>x</script>", "slug": competition.slug}
    text = organiser.post(PREVIEW, asked).content.decode()

    assert "<strong>a</strong>" in text
    assert f"/competitions/{competition.slug}/pictures/chart.webp" in text
    assert "script" not in text


def test_a_preview_shows_no_pictures_of_others(organiser: Client) -> None:
    other = Competition.objects.create(slug="other", name="Other")
    Picture.objects.create(competition=other, name="chart", width=8, height=4)

    asked = {"field": "rules", "rules": "![b](chart)", "slug": "other"}

    assert "<img" not in organiser.post(PREVIEW, asked).content.decode()


def test_a_preview_is_for_those_who_may_write(client: Client, competition: Competition) -> None:
    onlooker = User.objects.create_user("onlooker", is_staff=True)
    competition.organisers.add(onlooker)
    onlooker.user_permissions.add(Permission.objects.get(codename="view_competition"))
    client.force_login(onlooker)

    assert client.post(PREVIEW, {"slug": competition.slug}).status_code == 403


def test_a_preview_changes_nothing_and_is_asked_for_by_post(organiser: Client) -> None:
    assert organiser.get(PREVIEW).status_code == 405


def test_an_organiser_adds_a_picture_a_date_and_news(organiser: Client, competition: Competition) -> None:
    answer = edit(
        organiser,
        competition,
        host="A lab",
        **{
            "pictures-TOTAL_FORMS": 1,
            "pictures-0-name": "chart",
            "pictures-0-upload": png(),
            "milestones-TOTAL_FORMS": 1,
            "milestones-0-name": "Workshop",
            "milestones-0-at_0": "2026-06-01",
            "milestones-0-at_1": "09:00",
            "news-TOTAL_FORMS": 1,
            "news-0-title": "Welcome",
            "news-0-text": "Hello.",
            "news-0-published_at_0": "2026-03-01",
            "news-0-published_at_1": "09:00",
        },
    )

    assert answer.status_code == 302
    picture = competition.pictures.get()
    assert (picture.name, picture.width, picture.height) == ("chart", 8, 4)
    assert competition.news.get().title == "Welcome"
    assert competition.milestones.get().name == "Workshop"
    recorded = AuditRecord.objects.get(act="competition.edited").after
    assert recorded["host"] == "A lab"
    assert {"news", "milestones", "pictures"} <= set(recorded)


def test_what_was_told_can_be_changed(organiser: Client, competition: Competition) -> None:
    competition.news.create(title="Welcome", text="Hello.")

    edit(organiser, competition, **{"news-0-title": "Welcome all"})

    assert competition.news.get().title == "Welcome all"
    recorded = AuditRecord.objects.get(act="competition.edited")
    assert [row["title"] for row in recorded.before["news"]] == ["Welcome"]


def test_a_file_that_is_no_picture_is_refused_beside_its_field(
    organiser: Client, competition: Competition
) -> None:
    answer = edit(
        organiser,
        competition,
        **{
            "pictures-TOTAL_FORMS": 1,
            "pictures-0-name": "chart",
            "pictures-0-upload": SimpleUploadedFile("chart.svg", b"<svg onload='alert(1)'/>"),
        },
    )

    assert "no picture that can be read" in answer.content.decode()
    assert not competition.pictures.exists()


def test_the_banner_is_one_of_the_competitions_own_pictures(
    organiser: Client, competition: Competition
) -> None:
    other = Competition.objects.create(slug="other", name="Other")
    theirs = Picture.objects.create(competition=other, name="chart", width=8, height=4)

    answer = edit(organiser, competition, picture=theirs.pk)

    assert answer.status_code == 200
    assert Competition.objects.get(pk=competition.pk).picture is None
