"""Leaderboards in the API: right for anybody, cheap for whoever asks again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from scoring.contracts import PrivateScores
from tests.examples import new_benchmark, rewrite, scored_report

Score = Callable[..., Evaluation]


@pytest.fixture
def score(make_evaluation: Callable[..., Evaluation], now: datetime) -> Score:
    """Return a function that gives a participant a score on a track."""

    def make(participant: User, track: Track, value: float, *, at: datetime = now, **more: Any) -> Evaluation:
        evaluation = make_evaluation(participant, track, at=at)
        lease = lifecycle.claim(evaluation.pk, owner="worker", now=at)
        assert lease is not None
        lifecycle.record_scored(lease, scored_report(value, **more), now=at, place=standings.place)
        return evaluation

    return make


def board(caller: APIClient, query: str = "", **headers: str) -> Any:
    return caller.get(f"/api/tracks/track-one/leaderboard/{query}", headers=headers)


def test_each_participant_stands_once_with_the_best_score_the_earlier_first(
    anonymous: APIClient, score: Score, alice: User, bob: User, staff: User, track: Track, now: datetime
) -> None:
    score(bob, track, 0.5, at=now + timedelta(minutes=2))
    score(alice, track, 0.25)
    score(alice, track, 0.5, at=now + timedelta(minutes=1))
    score(staff, track, 0.125)

    rows = board(anonymous).json()["rows"]

    assert [(r["rank"], r["participant"], r["value"]) for r in rows] == [
        (1, "alice", 0.5),
        (1, "bob", 0.5),
        (3, "staff", 0.125),
    ]
    assert rows[0]["submissions"] == 2


def test_an_empty_board_names_its_benchmark_version(anonymous: APIClient, track: Track) -> None:
    body = board(anonymous).json()

    assert (body["rows"], body["benchmark"], body["version"]) == ([], track.benchmark.digest, 1)


def test_an_unchanged_board_is_not_sent_again(
    anonymous: APIClient, score: Score, alice: User, track: Track
) -> None:
    score(alice, track, 0.5)
    tag = board(anonymous)["ETag"]

    answer = board(anonymous, **{"If-None-Match": tag})

    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize(
    "what", ["a new score", "another submission", "a new name", "a new benchmark version"]
)
def test_whatever_changes_a_board_changes_its_tag(
    anonymous: APIClient,
    score: Score,
    make_evaluation: Callable[..., Evaluation],
    alice: User,
    bob: User,
    track: Track,
    what: str,
) -> None:
    score(alice, track, 0.5)
    tag = board(anonymous)["ETag"]
    changes: dict[str, Callable[[], object]] = {
        "a new score": lambda: score(bob, track, 0.25),
        "another submission": lambda: make_evaluation(alice, track),
        "a new name": lambda: User.objects.filter(pk=alice.pk).update(username="alicia"),
        "a new benchmark version": lambda: new_benchmark(track),
    }
    changes[what]()

    answer = board(anonymous, **{"If-None-Match": tag})

    assert answer.status_code == 200
    assert answer["ETag"] != tag


def test_the_private_board_is_hidden_until_the_track_shows_it(
    as_alice: APIClient, as_staff: APIClient, score: Score, alice: User, track: Track
) -> None:
    score(alice, track, 0.5, private=0.25)

    assert board(as_alice, "?split=private").status_code == 404
    assert board(as_staff, "?split=private").json()["rows"][0]["value"] == 0.25

    rewrite(
        Track.objects.get(),
        closes_at=timezone.now() - timedelta(hours=1),
        private_scores=PrivateScores.AFTER_CLOSE.value,
    )
    assert board(as_alice, "?split=private").json()["rows"][0]["value"] == 0.25


def test_the_board_of_an_older_benchmark_version_can_be_asked_for(
    anonymous: APIClient, score: Score, alice: User, track: Track
) -> None:
    score(alice, track, 0.5)
    new_benchmark(track)

    assert board(anonymous).json()["rows"] == []
    assert board(anonymous, "?version=1").json()["rows"][0]["value"] == 0.5


@pytest.mark.parametrize(
    "query", ["?split=secret", "?version=99", "?version=-1", "?version=1e3", "?version=²"]
)
def test_a_board_that_does_not_exist_is_not_found(anonymous: APIClient, track: Track, query: str) -> None:
    assert board(anonymous, query).json()["code"] == "not_found"


def test_a_hidden_tracks_board_is_hidden(anonymous: APIClient, track: Track) -> None:
    Track.objects.update(is_open=False)

    assert board(anonymous).status_code == 404


def test_a_long_board_takes_as_many_queries_as_a_short_one(
    anonymous: APIClient,
    score: Score,
    make_user: Callable[[str], User],
    track: Track,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(6):
        score(make_user(f"user{number}"), track, number / 8)

    # track, board, rows, extra metrics, submissions, usage, two of the baselines, PostgreSQL's time
    with django_assert_max_num_queries(9):
        board(anonymous)
