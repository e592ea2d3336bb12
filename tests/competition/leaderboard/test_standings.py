"""Standings follow the scores, whatever the order in which these come."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from itertools import permutations

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from competition.leaderboard import standings
from competition.leaderboard.models import Standing
from competition.leaderboard.selectors import board
from competition.leaderboard.standings import Drift
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation, Score
from competition.tracks.models import Track
from scoring.contracts import Metric, Split
from tests.examples import START, new_benchmark, score_value, scored_report

AGREED = Drift(missing=0, wrong=0, surplus=0)


@pytest.fixture
def score(
    make_evaluation: Callable[..., Evaluation], track: Track, now: datetime
) -> Callable[..., Evaluation]:
    """Return a function that uploads an entry, minutes after the start, and scores it."""

    def score(
        user: User, value: float, *, minute: int = 0, private: float | None = None, on: Track = track
    ) -> Evaluation:
        evaluation = make_evaluation(user, on, at=START + timedelta(minutes=minute))
        lease = lifecycle.claim(evaluation.pk, owner="w", now=now + timedelta(days=1))
        lifecycle.record_scored(
            lease, scored_report(value, private=private), now=now + timedelta(days=1), place=standings.place
        )
        return evaluation

    return score


# --- written with the score ----------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([(0.5, 2), (0.9, 1), (0.9, 0)])))
def test_the_best_value_stands_and_of_equal_ones_the_earliest_upload(
    alice: User, track: Track, score: Callable[..., Evaluation], order: list[tuple[float, int]]
) -> None:
    for value, minute in order:
        score(alice, value, minute=minute)

    standing = Standing.objects.get()
    assert (standing.value, standing.achieved_at) == (0.9, START)


def test_each_split_has_its_own_best(alice: User, track: Track, score: Callable[..., Evaluation]) -> None:
    first = score(alice, 0.9, private=0.1)
    second = score(alice, 0.5, private=0.7)

    assert Standing.objects.get(split=Split.PUBLIC).evaluation == first
    assert Standing.objects.get(split=Split.PRIVATE).evaluation == second


def test_versions_never_share_a_board(alice: User, track: Track, score: Callable[..., Evaluation]) -> None:
    score(alice, 0.9)
    old = track.benchmark
    new_benchmark(track)
    score(alice, 0.2)

    assert [row.value for row in board(track).rows] == [0.2]
    assert [row.value for row in board(track, benchmark=old).rows] == [0.9]


# --- rebuilt -------------------------------------------------------------------------------------


def test_standings_that_are_right_need_no_change(
    alice: User, track: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.9, private=0.8)

    assert standings.examine(track.benchmark) == AGREED
    assert standings.rebuild(track.benchmark) == AGREED


def test_a_rebuild_mends_what_is_missing_wrong_or_surplus_and_then_finds_nothing(
    alice: User, bob: User, staff: User, track: Track, score: Callable[..., Evaluation]
) -> None:
    for user in (alice, bob):
        score(user, 0.9)
    Standing.objects.get(participant=alice).delete()
    of_bob = Standing.objects.get(participant=bob)
    Standing.objects.create(
        benchmark=track.benchmark,
        participant=staff,
        evaluation=of_bob.evaluation,
        value=1.0,
        ci_low=1.0,
        ci_high=1.0,
        achieved_at=START,
    )
    Standing.objects.filter(pk=of_bob.pk).update(value=0.1)
    expected = Drift(missing=1, wrong=1, surplus=1)

    assert standings.examine(track.benchmark) == expected
    assert standings.rebuild(track.benchmark) == expected
    assert standings.rebuild(track.benchmark) == AGREED
    assert {(s.participant, s.value) for s in Standing.objects.all()} == {(alice, 0.9), (bob, 0.9)}


def test_scores_of_an_evaluation_that_is_not_scored_do_not_stand(
    evaluation: Evaluation, track: Track
) -> None:
    Score.objects.create(
        evaluation=evaluation,
        metric=Metric.ACCURACY,
        value=1.0,
        ci_low=1.0,
        ci_high=1.0,
        higher_is_better=True,
        version="1",
    )

    assert standings.rebuild(track.benchmark) == AGREED
    assert not Standing.objects.exists()


def test_the_command_checks_without_changing(
    alice: User, track: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.9)
    Standing.objects.all().delete()

    with pytest.raises(CommandError):
        call_command("rebuild_standings", "--check", stdout=StringIO())

    assert not Standing.objects.exists()


def test_the_command_rebuilds(alice: User, track: Track, score: Callable[..., Evaluation]) -> None:
    score(alice, 0.9)
    Standing.objects.all().delete()
    out = StringIO()

    call_command("rebuild_standings", track.slug, stdout=out)

    assert out.getvalue() == (
        f"{track.slug} v1: 1 missing, 0 wrong, 0 surplus; 0 of its boards' rows differ\n"
        f"{track.slug}: 0 counts wrong\n"
    )
    assert Standing.objects.get().value == 0.9


def test_the_command_refuses_an_unknown_track(track: Track) -> None:
    with pytest.raises(CommandError, match="no-such"):
        call_command("rebuild_standings", "no-such")


# --- the board -----------------------------------------------------------------------------------


def test_a_board_ranks_participants_and_counts_their_submissions(
    alice: User, bob: User, track: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.5)
    score(alice, 0.4)
    score(bob, 0.9)

    rows = board(track).rows

    assert [(r.rank, r.participant_name, r.value, r.submissions) for r in rows] == [
        (1, "bob", 0.9, 1),
        (2, "alice", 0.5, 2),
    ]


def test_a_board_shows_extra_metrics_of_the_standing_evaluation(
    evaluation: Evaluation, track: Track, now: datetime
) -> None:
    scores = {Metric.ACCURACY: score_value(0.5), Metric.TOP5_ACCURACY: score_value(0.8)}
    lease = lifecycle.claim(evaluation.pk, owner="w", now=now)
    lifecycle.record_scored(lease, replace(scored_report(), scores=scores), now=now, place=standings.place)

    assert dict(board(track).rows[0].extra) == {"top5_accuracy": 0.8}


def test_the_private_board_is_another_board(
    alice: User, track: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.9, private=0.3)

    assert [row.value for row in board(track, split=Split.PRIVATE).rows] == [0.3]


def test_a_track_without_a_benchmark_version_has_an_empty_board(track: Track) -> None:
    track.benchmark = None

    assert board(track).rows == ()


@pytest.mark.parametrize("participants", [1, 6])
def test_a_board_takes_five_queries_whatever_its_size(
    make_user: Callable[[str], User],
    track: Track,
    score: Callable[..., Evaluation],
    django_assert_num_queries: DjangoAssertNumQueries,
    participants: int,
) -> None:
    for number in range(participants):
        score(make_user(f"user{number}"), 0.1 * number)

    with django_assert_num_queries(5):
        rows = board(track).rows

    assert len(rows) == participants
