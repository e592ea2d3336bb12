"""Both scores stand on the board, in its files and in the API; the one in float ranks."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from competition.leaderboard import standings
from competition.leaderboard.board_files import as_plain, csv_lines
from competition.leaderboard.models import Standing
from competition.leaderboard.selectors import board
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.submissions.results_csv import csv_rows
from competition.tracks.models import Track
from scoring.contracts import Precision, PrivateScores, Split
from tests.examples import START, new_benchmark, quantised_scores, scored_report, set_fields


@pytest.fixture
def quantising(track: Track) -> Track:
    set_fields(track, quantisation__precision=Precision.W8A8)
    track.save()
    new_benchmark(track)
    return track


@pytest.fixture
def score(
    make_evaluation: Callable[..., Evaluation], quantising: Track, now: datetime
) -> Callable[..., Evaluation]:
    """Return a function that uploads an entry and scores it twice, on both splits."""

    def score(user: User, value: float, again: float, *, minute: int = 0) -> Evaluation:
        evaluation = make_evaluation(user, quantising, at=START + timedelta(minutes=minute))
        lease = lifecycle.claim(evaluation.pk, owner="w", now=now + timedelta(days=1))
        report = replace(
            scored_report(value, private=value / 2),
            quantised=quantised_scores(again, of=value, private=again / 2),
        )
        lifecycle.record_scored(lease, report, now=now + timedelta(days=1), place=standings.place)
        return evaluation

    return score


def test_a_row_has_both_values_and_what_was_lost(
    alice: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.75, 0.5)

    found = board(quantising)

    assert found.precision is Precision.W8A8
    assert [(row.value, row.quantised, row.drop_points, row.extra) for row in found.rows] == [
        (0.75, 0.5, 25.0, {})
    ]


def test_the_float_value_ranks(
    alice: User, bob: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.75, 0.25)
    score(bob, 0.5, 0.5)

    assert [row.participant_name for row in board(quantising).rows] == ["alice", "bob"]


def test_the_second_value_is_that_of_the_best_entry_in_float(
    alice: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.5, 0.5)
    score(alice, 0.75, 0.25, minute=1)

    assert [row.quantised for row in board(quantising).rows] == [0.25]


def test_a_private_board_has_the_private_second_value(
    alice: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.75, 0.5)

    assert [row.quantised for row in board(quantising, split=Split.PRIVATE).rows] == [0.25]


def test_second_scores_make_no_standings_of_their_own(
    alice: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.75, 0.9)

    assert Standing.objects.filter(split=Split.PUBLIC).count() == 1
    assert not standings.rebuild(quantising.benchmark)


def test_a_track_that_scores_once_has_neither_column_nor_value(track: Track) -> None:
    plain = as_plain(board(track))

    assert board(track).precision is None
    assert plain["precision"] is None
    assert "w8a8" not in "".join(csv_lines(board(track)))


def test_files_tell_the_second_value_and_the_drop(
    alice: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.75, 0.5)

    header, line = (text.split(",") for text in "".join(csv_lines(board(quantising))).splitlines())
    (row,) = json.loads(json.dumps(as_plain(board(quantising))))["rows"]

    assert (header[-5:-3], line[-5:-3]) == (["w8a8", "w8a8_drop_points"], ["0.5", "25.0"])
    assert (row["quantised"], row["drop_points"]) == (0.5, 25.0)


def test_the_page_has_a_column_of_it(
    client: Client, alice: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.75, 0.625)

    page = client.get(f"/tracks/{quantising.slug}/leaderboard/").content.decode()

    assert ">Accuracy in w8a8<" in page
    assert "0.6250" in page
    assert "12.5 points lower" in page


def test_the_api_declares_what_it_answers(
    client: Client, alice: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.75, 0.5)

    body = client.get(f"/api/tracks/{quantising.slug}/leaderboard/").json()

    assert (body["precision"], body["rows"][0]["quantised"]) == ("w8a8", 0.5)


def test_the_organisers_file_has_both_values_of_both_splits(
    alice: User, quantising: Track, score: Callable[..., Evaluation]
) -> None:
    score(alice, 0.75, 0.5)

    header, line = (text.strip().split(",") for text in csv_rows(quantising))

    found = dict(zip(header, line, strict=True))
    assert (found["w8a8_accuracy_public"], found["w8a8_accuracy_private"]) == ("0.5", "0.25")
    assert (found["accuracy_public"], found["accuracy_private"]) == ("0.75", "0.375")


@pytest.mark.parametrize("shown", [PrivateScores.NEVER, PrivateScores.ALWAYS])
def test_a_submissions_page_tells_both_scores_and_private_ones_only_where_they_are_shown(
    client: Client,
    alice: User,
    quantising: Track,
    score: Callable[..., Evaluation],
    shown: PrivateScores,
) -> None:
    set_fields(quantising, private_scores=shown.value)
    quantising.save()
    evaluation = score(alice, 0.75, 0.6875)
    client.force_login(alice)

    page = client.get(evaluation.submission.get_absolute_url()).content.decode()

    assert "In w8a8" in page
    assert "0.6875" in page
    assert "6.25 points lower" in page
    # Rounded down: what is left in float is not to vanish.
    assert "98.7% of the MACs" in page
    assert ("0.3438" in page) == (shown is PrivateScores.ALWAYS)
