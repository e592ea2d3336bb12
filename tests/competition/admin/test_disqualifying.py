"""Disqualifying, reinstating and the audit trail in the admin: asked with a reason, in one's own competitions alone."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from competition.audit.models import Act, AuditRecord
from competition.audit.recording import record
from competition.leaderboard import standings
from competition.leaderboard.models import Standing
from competition.submissions.counts import count_submission
from competition.submissions.models import Disqualification, Evaluation, Score
from competition.tracks import services
from competition.tracks.models import Competition, Track
from scoring.contracts import Status
from tests.competition.admin.conftest import evaluate

pytestmark = pytest.mark.django_db

SUBMISSIONS = "admin:submissions_submission_changelist"
DISQUALIFICATIONS = "admin:submissions_disqualification_changelist"


@pytest.fixture
def scored(track: Track) -> Evaluation:
    """A scored evaluation with its standing."""
    services.open_track(track=track)
    evaluation = evaluate(track, status=Status.SCORED)
    count_submission(evaluation.submission)
    Score.objects.create(
        evaluation=evaluation, metric=track.spec().metric, value=0.9, ci_low=0.8, ci_high=1.0,
        higher_is_better=True, version="1",
    )  # fmt: skip
    standings.rebuild(track.benchmark)
    assert Standing.objects.exists()
    return evaluation


def choose(client: Client, action: str, pk: object, address: str = SUBMISSIONS, **typed: str) -> str:
    sent = {"action": action, "_selected_action": str(pk), **typed}
    return client.post(reverse(address), sent, follow=True).content.decode()


def test_it_asks_for_a_reason_and_does_nothing_without(organiser: Client, scored: Evaluation) -> None:
    asked = choose(organiser, "disqualify", scored.submission_id)
    refused = choose(organiser, "disqualify", scored.submission_id, confirmed="yes", reason=" ")

    assert 'name="reason"' in asked
    assert "This field is required" in refused
    assert (Disqualification.objects.count(), Standing.objects.count()) == (0, 1)


@pytest.mark.parametrize("action", ["disqualify", "disqualify_participants"])
def test_with_a_reason_the_row_leaves_the_board_and_comes_back(
    organiser: Client, scored: Evaluation, action: str
) -> None:
    choose(organiser, action, scored.submission_id, confirmed="yes", reason="It cheats.")

    row = Disqualification.objects.get()
    assert (row.reason, row.participant) == ("It cheats.", scored.submission.participant)
    assert (row.submission is None) == (action == "disqualify_participants")
    assert not Standing.objects.exists()
    assert AuditRecord.objects.latest("pk").actor_name == "grace"

    choose(organiser, "reinstate", row.pk, DISQUALIFICATIONS, confirmed="yes", reason="It does not.")

    assert not Disqualification.objects.exists()
    assert Standing.objects.get().value == 0.9
    assert AuditRecord.objects.latest("pk").reason == "It does not."


def test_organisers_of_other_competitions_can_do_neither(
    organiser: Client, scored: Evaluation, competition: Competition
) -> None:
    choose(organiser, "disqualify", scored.submission_id, confirmed="yes", reason="It cheats.")
    row = Disqualification.objects.get()
    competition.organisers.clear()

    choose(organiser, "reinstate", row.pk, DISQUALIFICATIONS, confirmed="yes", reason="x")
    assert Disqualification.objects.get() == row

    Disqualification.objects.all().delete()
    choose(organiser, "disqualify", scored.submission_id, confirmed="yes", reason="x")
    choose(organiser, "disqualify_participants", scored.submission_id, confirmed="yes", reason="x")
    assert not Disqualification.objects.exists()


def test_who_may_only_look_is_offered_no_such_act(onlooker: Client, scored: Evaluation) -> None:
    choose(onlooker, "disqualify", scored.submission_id, confirmed="yes", reason="x")

    assert not Disqualification.objects.exists()


def test_the_participant_reads_the_reason_on_page_list_and_api(
    organiser: Client, scored: Evaluation, client: Client
) -> None:
    participant = scored.submission.participant
    client.force_login(participant)
    pages = [scored.submission.get_absolute_url(), reverse("my-submissions"),
             reverse("api-submission", args=[scored.submission_id])]  # fmt: skip
    assert not any("isqualified</" in client.get(page).content.decode() for page in pages)
    assert client.get(pages[-1]).json()["disqualified_because"] is None

    choose(
        organiser, "disqualify_participants", scored.submission_id, confirmed="yes", reason="Two <accounts>."
    )
    assert all("Two &lt;accounts&gt;." in client.get(page).content.decode() for page in pages[:2])
    assert client.get(pages[-1]).json()["disqualified_because"] == "Two <accounts>."

    choose(organiser, "disqualify", scored.submission_id, confirmed="yes", reason="Its own reason.")
    assert client.get(pages[-1]).json()["disqualified_because"] == "Its own reason."


def test_the_trail_shows_organisers_their_own_competitions_and_gives_what_is_filtered_as_csv(
    organiser: Client, track: Track, alice: User
) -> None:
    made_organiser = AuditRecord.objects.count()
    other = Competition.objects.create(slug="other", name="Other")
    record(Act.COMPETITION_EDITED, other, by=alice, competition_id=other.pk, reason="hidden")
    record(Act.ACCOUNT_CHANGED, alice, by=alice, competition_id=None, reason="hidden")
    record(Act.TRACK_OPENED, track, by=alice, competition_id=track.competition_id, reason="=1+1")
    record(Act.TRACK_CLOSED, track, by=None, competition_id=track.competition_id, before={"is_open": True})

    shown = organiser.get(reverse("admin:audit_auditrecord_changelist"))
    everything = organiser.get(reverse("admin:audit_auditrecord_export"))
    opened = organiser.get(reverse("admin:audit_auditrecord_export"), {"act": Act.TRACK_OPENED})

    assert shown.context["cl"].result_count == made_organiser + 2
    rows = list(csv.DictReader(io.StringIO(b"".join(everything.streaming_content).decode("utf-8-sig"))))
    assert [(row["act"], row["actor"], row["before"]) for row in rows[:2]] == [
        ("track.closed", "", '{"is_open": true}'),
        ("track.opened", "alice", "{}"),
    ]
    assert {row["competition"] for row in rows} == {track.competition.slug}
    (only,) = csv.DictReader(io.StringIO(b"".join(opened.streaming_content).decode("utf-8-sig")))
    assert (only["act"], only["reason"]) == ("track.opened", "'=1+1")


def test_switching_an_account_off_takes_it_off_the_board(scored: Evaluation, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    account = scored.submission.participant
    address = reverse("admin:auth_user_change", args=[account.pk])

    def switch(**typed: str) -> None:
        joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
        assert client.post(address, {"username": account.username, **joined, **typed}).status_code == 302

    switch()
    assert not Standing.objects.exists()
    row = AuditRecord.objects.latest("pk")
    assert (row.act, row.before, row.after) == (
        Act.ACCOUNT_CHANGED, {"is_active": True}, {"is_active": False}
    )  # fmt: skip

    switch(is_active="on", is_staff="on")
    assert Standing.objects.get().value == 0.9
    assert AuditRecord.objects.latest("pk").after == {"is_active": True, "is_staff": True}
