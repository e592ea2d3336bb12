"""Acts of organisers on competitions and tracks are in the audit trail, with what was before and after."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from competition.audit.models import Act, AuditRecord
from competition.tracks.models import Competition, Track
from scoring.contracts import Status
from scoring.tracks import dump_track
from tests.competition.admin.browsing import fields_of
from tests.competition.admin.conftest import evaluate

pytestmark = pytest.mark.django_db


def act(browser: Client, track: Track, name: str, **typed: object) -> None:
    browser.post(reverse(f"admin:tracks_track_{name}", args=[track.pk]), typed)


def last() -> AuditRecord:
    return AuditRecord.objects.latest("pk")


def test_opening_publishing_and_closing(organiser: Client, track: Track) -> None:
    act(organiser, track, "open")
    act(organiser, track, "publish")
    act(organiser, track, "close")

    rows = AuditRecord.objects.order_by("pk").filter(object_type="tracks.track", actor_name="grace")
    told = list(rows.values_list("act", "before", "after__is_open", "competition"))
    own, version = track.competition_id, track.benchmarks.get().pk
    assert told == [
        (Act.TRACK_OPENED, {"is_open": False}, True, own),
        (Act.TRACK_PUBLISHED, {"version": version}, None, own),
        (Act.TRACK_CLOSED, {"is_open": True}, False, own),
    ]


def test_a_document_and_a_clone(organiser: Client, track: Track) -> None:
    quota = track.quota_submissions
    text = dump_track(track.document()).replace(f"quota_submissions: {quota}", "quota_submissions: 77")
    act(organiser, track, "upload", file=SimpleUploadedFile("track.yaml", text.encode()))
    row = last()
    assert (row.act, row.before, row.after) == (
        Act.TRACK_EDITED, {"quota_submissions": quota}, {"quota_submissions": 77}
    )  # fmt: skip

    act(organiser, track, "clone", slug="copy")
    assert (last().act, last().after["slug"], last().actor_name) == (Act.TRACK_CREATED, "copy", "grace")


def test_who_organises_a_competition_and_its_texts(organiser: Client, competition: Competition) -> None:
    User.objects.create_user("ada", is_staff=True)
    grace = User.objects.get(username="grace")
    address = reverse("admin:tracks_competition_change", args=[competition.pk])
    typed = {"name": "Renamed", "organisers": [grace.pk], "new_organisers": "ada"}

    organiser.post(address, fields_of(organiser, address) | typed)

    edited, organisers = AuditRecord.objects.filter(competition=competition.pk).order_by("pk")
    assert (edited.act, edited.before["name"], edited.after["name"]) == (
        Act.COMPETITION_EDITED, competition.name, "Renamed"
    )  # fmt: skip
    assert (organisers.act, organisers.before, organisers.after) == (
        Act.ORGANISERS_CHANGED, {"organisers": ["grace"]}, {"organisers": ["ada", "grace"]}
    )  # fmt: skip


def test_a_deleted_track_leaves_what_it_was(organiser: Client, track: Track) -> None:
    slug = track.slug
    organiser.post(reverse("admin:tracks_track_delete", args=[track.pk]), {"post": "yes"})

    assert not Track.objects.filter(slug=slug).exists()
    assert (last().act, last().before["slug"], last().actor_name) == (Act.TRACK_DELETED, slug, "grace")


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("cancel", Status.QUEUED, Act.EVALUATION_CANCELLED),
        ("retry", Status.FAILED, Act.EVALUATION_QUEUED_AGAIN),
    ],
)
def test_cancelling_and_queueing_again_by_staff(
    organiser: Client, track: Track, name: str, status: Status, told: Act
) -> None:
    act(organiser, track, "open")
    track.refresh_from_db()
    evaluation = evaluate(track, status=status)

    organiser.post(
        reverse("admin:submissions_evaluation_changelist"),
        {"action": name, "_selected_action": str(evaluation.pk), "confirmed": "yes"},
    )

    evaluation.refresh_from_db()
    row = last()
    assert (row.act, row.before["status"], row.after["status"]) == (told, status, evaluation.status)
