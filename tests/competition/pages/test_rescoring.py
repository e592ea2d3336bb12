"""While organisers have a track scored again: its board stays, and nobody can take themselves off by a click."""

from __future__ import annotations

import pytest
from django.urls import reverse

from competition import publishing
from competition.leaderboard import standings
from competition.submissions import lifecycle, rescoring, services
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from scoring.contracts import Status
from tests.examples import START, rewrite, scored_report

pytestmark = pytest.mark.django_db


def score(evaluation: Evaluation, value: float) -> None:
    lease = lifecycle.claim(evaluation.pk, owner="w", now=START)
    lifecycle.record_scored(lease, scored_report(value), now=START, place=standings.place)


@pytest.fixture
def rescored(make_evaluation, alice, bob, track) -> Track:
    """A track with two scores of which nothing has been scored again yet."""
    for user, value in ((alice, 0.75), (bob, 0.5)):
        score(make_evaluation(user, track), value)
    publishing.publish(track=rewrite(track, budgets__max_macs=123_456_789))
    return Track.objects.get(pk=track.pk)


def waiting(track: Track) -> list[Evaluation]:
    return list(Evaluation.objects.filter(benchmark=track.benchmark, status=Status.QUEUED).order_by("pk"))


def board(client, track: Track, query: str = "") -> str:
    return " ".join(client.get(reverse("leaderboard", args=[track.slug]) + query).content.decode().split())


def test_the_old_board_stays_and_says_how_far_the_new_one_is(client, rescored):
    score(waiting(rescored)[0], 0.6)
    rescoring.show_all_finished()

    text = board(client, rescored)

    assert "benchmark version 1." in text
    assert "0.7500" in text
    assert "Being rescored: <strong>1 of 2</strong>" in text
    so_far = board(client, rescored, f"?version={rescored.benchmark.number}")
    assert "This board is not whole yet" in so_far
    assert "0.6000" in so_far


def test_the_new_board_takes_over_when_it_is_whole(client, rescored):
    for evaluation in waiting(rescored):
        score(evaluation, 0.6)
    rescoring.show_all_finished()

    text = board(client, rescored)

    assert "benchmark version 2." in text
    assert "Being rescored" not in text


def test_an_organiser_may_show_the_new_board_before(client, rescored):
    assert rescoring.show_now(rescored)

    assert "benchmark version 1." not in board(client, rescored)
    assert not rescoring.show_now(rescored)


def test_the_admin_asks_and_shows_it(admin_client, rescored):
    address = reverse("admin:tracks_track_board", args=[rescored.pk])

    assert "0 of 2 submissions have been scored again" in admin_client.get(address).content.decode()
    admin_client.post(address)

    assert Track.objects.get(pk=rescored.pk).shown is None
    assert "already shows the board of its current version" in admin_client.get(address).content.decode()


def test_the_board_of_the_api_stays_as_well(client, rescored):
    body = client.get(reverse("api-leaderboard", args=[rescored.slug])).json()

    assert (body["version"], len(body["rows"])) == (1, 2)


def test_a_second_publication_keeps_the_board_that_is_shown(client, rescored):
    publishing.publish(track=rewrite(rescored, budgets__max_macs=987_654_321))

    assert "benchmark version 1." in board(client, rescored)


def test_a_version_taken_up_again_is_shown_at_once(rescored):
    first = rescored.benchmarks.get(number=1)

    publishing.publish(track=rewrite(rescored, budgets__max_macs=first.document().spec.budgets.max_macs))

    track = Track.objects.get(pk=rescored.pk)
    assert (track.benchmark, track.shown) == (first, None)


def test_a_participant_is_told_of_the_rescore_and_has_nothing_to_cancel(client, alice, rescored):
    evaluation = next(e for e in waiting(rescored) if e.submission.participant == alice)
    client.force_login(alice)

    page = client.get(evaluation.submission.get_absolute_url()).content.decode()

    assert "To be rescored" in page
    assert "You need not do anything" in page
    assert "cancel-button" not in page
    for address in ("submission-cancel", "api-cancel"):
        assert client.post(reverse(address, args=[evaluation.submission_id])).status_code == 403
    evaluation.refresh_from_db()
    assert evaluation.status == Status.QUEUED


def test_the_list_keeps_the_old_score_beside_the_new_state(client, alice, rescored):
    client.force_login(alice)

    page = " ".join(client.get(reverse("my-submissions")).content.decode().split())

    assert "To be rescored" in page
    assert '0.7500 <span class="muted small">version 1</span>' in page


# --- what was cancelled can be queued again --------------------------------------------------------


@pytest.fixture
def cancelled(evaluation) -> Evaluation:
    services.cancel_evaluation(evaluation=evaluation)
    return evaluation


@pytest.mark.parametrize("address", ["submission-queue", "api-queue"])
def test_a_participant_queues_a_cancelled_submission_again(client, alice, cancelled, address):
    client.force_login(alice)
    assert "Queue again" in client.get(cancelled.submission.get_absolute_url()).content.decode()

    answer = client.post(reverse(address, args=[cancelled.submission_id]))

    assert answer.status_code in (200, 302)
    cancelled.refresh_from_db()
    assert cancelled.status == Status.QUEUED


def test_after_a_publication_it_is_queued_on_the_current_version(client, alice, cancelled, track):
    publishing.publish(track=rewrite(track, budgets__max_macs=123_456_789))
    client.force_login(alice)

    client.post(reverse("api-queue", args=[cancelled.submission_id]))

    newest = cancelled.submission.evaluations.latest("benchmark__number")
    assert (newest.status, newest.benchmark) == (Status.QUEUED, Track.objects.get(pk=track.pk).benchmark)


def test_it_takes_a_slot_like_an_upload(client, alice, cancelled, make_evaluation, track):
    from competition.clock import database_now

    for _ in range(track.quota_submissions):
        make_evaluation(alice, track, at=database_now())
    client.force_login(alice)

    refused = client.post(reverse("api-queue", args=[cancelled.submission_id]))

    assert (refused.status_code, refused.json()["code"]) == (429, "quota_used_up")
    cancelled.refresh_from_db()
    assert cancelled.status == Status.CANCELLED


def test_what_was_not_cancelled_stays_as_it_is(client, alice, evaluation):
    client.force_login(alice)

    refused = client.post(reverse("api-queue", args=[evaluation.submission_id]))

    assert (refused.status_code, refused.json()["code"]) == (409, "not_cancelled")
