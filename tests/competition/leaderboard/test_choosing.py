"""A participant hides, withdraws and chooses submissions; boards follow, and a score knows where it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from competition.leaderboard import choosing
from competition.leaderboard import standings as standings_of
from competition.leaderboard.prospects import history_of, prospect_of
from competition.leaderboard.selectors import board
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation, Participation, Submission, Visibility
from competition.tracks.models import Track
from scoring.contracts import Split, Status
from tests.examples import START, rewrite, scored_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def give(make_evaluation: Callable[..., Evaluation], track: Track) -> Callable[..., Evaluation]:
    def act(user: User, value: float, *, private: float | None = None, days: int = 0) -> Evaluation:
        at = START + timedelta(days=days)
        evaluation = make_evaluation(user, track, at=at)
        lease = lifecycle.claim(evaluation.pk, owner="w", now=at)
        lifecycle.record_scored(
            lease, scored_report(value, private=private), now=at, place=standings_of.place
        )
        return Evaluation.objects.select_related("submission__track", "benchmark").get(pk=evaluation.pk)

    return act


@pytest.fixture
def with_private_samples(track: Track) -> None:
    track.dataset.private_samples = 2
    track.dataset.save()


def shown(track: Track, split: Split = Split.PUBLIC) -> list[tuple[str, float]]:
    return [(row.participant_name, row.value) for row in board(track, split=split).rows]


def test_a_hidden_submission_leaves_the_board_and_comes_back(give, track: Track, alice: User) -> None:
    give(alice, 0.5)
    best = give(alice, 0.9).submission

    choosing.set_visibility(best, Visibility.HIDDEN, now=START)
    hidden = shown(track)
    choosing.set_visibility(best, Visibility.PUBLIC, now=START)

    assert hidden == [("alice", 0.5)]
    assert shown(track) == [("alice", 0.9)]


def test_what_is_withdrawn_stays_so_and_is_evaluated_no_more(
    make_evaluation, track: Track, alice: User
) -> None:
    waiting = make_evaluation(alice, track)

    choosing.set_visibility(waiting.submission, Visibility.WITHDRAWN, now=START)

    waiting.refresh_from_db()
    assert waiting.status == Status.CANCELLED
    with pytest.raises(choosing.NotPossible):
        choosing.set_visibility(waiting.submission, Visibility.PUBLIC, now=START)


def test_after_the_end_a_submission_can_be_withdrawn_and_not_hidden(give, track: Track, alice: User) -> None:
    submission = give(alice, 0.5).submission
    rewrite(track, closes_at=START + timedelta(days=1))
    later = START + timedelta(days=2)

    with pytest.raises(choosing.NotPossible):
        choosing.set_visibility(submission, Visibility.HIDDEN, now=later)
    choosing.set_visibility(submission, Visibility.WITHDRAWN, now=later)

    assert shown(track) == []


@pytest.mark.usefixtures("with_private_samples")
def test_the_final_submission_counts_on_the_private_board_alone(give, track: Track, alice: User) -> None:
    chosen = give(alice, 0.5, private=0.4).submission
    give(alice, 0.9, private=0.8)

    choosing.choose_final(chosen, is_final=True, now=START)
    private, public = shown(track, Split.PRIVATE), shown(track)
    choosing.choose_final(chosen, is_final=False, now=START)

    assert (private, public) == ([("alice", 0.4)], [("alice", 0.9)])
    assert shown(track, Split.PRIVATE) == [("alice", 0.8)]


@pytest.mark.usefixtures("with_private_samples")
def test_a_withdrawn_submission_is_final_no_more(give, track: Track, alice: User) -> None:
    chosen = give(alice, 0.5, private=0.4).submission
    give(alice, 0.9, private=0.8)
    choosing.choose_final(chosen, is_final=True, now=START)

    choosing.set_visibility(chosen, Visibility.WITHDRAWN, now=START)

    assert not Participation.objects.filter(final__isnull=False).exists()
    assert shown(track, Split.PRIVATE) == [("alice", 0.8)]


def test_without_a_private_split_nothing_is_chosen(give, alice: User) -> None:
    with pytest.raises(choosing.NotPossible):
        choosing.choose_final(give(alice, 0.5).submission, is_final=True, now=START)


def test_a_note_is_the_participants_to_write(client: Client, give, alice: User, bob: User) -> None:
    submission = give(alice, 0.5).submission
    client.force_login(alice)
    client.post(f"/submissions/{submission.pk}/change/", {"note": " larger batch\r\n"})
    mine = client.get(f"/submissions/{submission.pk}/").content.decode()
    client.force_login(bob)

    assert Submission.objects.get().note == "larger batch"
    assert "larger batch" in mine
    assert client.get(f"/submissions/{submission.pk}/").status_code == 404


def test_the_api_changes_what_is_named_and_says_what_cannot_be(client: Client, give, alice: User) -> None:
    address = f"/api/submissions/{give(alice, 0.5).submission.pk}/choices/"
    client.force_login(alice)

    changed = client.patch(address, {"note": "n"}, content_type="application/json")
    refused = client.patch(address, {"is_final": True}, content_type="application/json")

    expected = {"note": "n", "visibility": "public", "is_final": False, "baseline": None}
    assert (changed.status_code, changed.json()) == (200, expected)
    assert (refused.status_code, refused.json()["code"]) == (409, "choice_not_possible")
    assert client.get(address).json() == expected


def test_a_score_knows_its_rank_and_what_it_lacks(give, alice: User, bob: User, make_user) -> None:
    give(bob, 0.9)
    give(make_user("carol"), 0.7)
    own = give(alice, 0.5)

    found = prospect_of(own)

    assert found is not None
    assert (found.rank, found.counts, found.participants) == (3, True, 3)
    assert (found.to_next, found.to_best) == (0.2, 0.4)


@pytest.mark.parametrize(("value", "rank"), [(0.95, 1), (0.8, 2), (0.65, 3), (0.55, 3), (0.1, 3)])
def test_a_score_that_does_not_count_is_ranked_as_if_it_did(
    give, track: Track, alice: User, bob: User, make_user, value: float, rank: int
) -> None:
    give(bob, 0.9)
    give(make_user("carol"), 0.7)
    give(alice, 0.99)
    other = give(alice, value)

    found = prospect_of(other)

    better = sum(theirs > value for theirs in (0.9, 0.7))
    assert found is not None
    assert (found.rank, found.counts) == (rank, False)
    assert found.rank == 1 + better


def test_the_first_lacks_nothing(give, alice: User) -> None:
    found = prospect_of(give(alice, 0.5))

    assert found is not None
    assert (found.to_next, found.to_best) == (None, None)


def test_ones_history_is_in_the_order_of_uploads(give, alice: User, bob: User) -> None:
    give(alice, 0.5, days=0)
    this = give(alice, 0.4, days=1)
    give(bob, 0.9, days=1)

    assert [(own.value, own.is_this) for own in history_of(this)] == [(0.5, False), (0.4, True)]
