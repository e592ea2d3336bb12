"""A board says which entries were counted by running them: on its page, in its files and in the API."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from competition.leaderboard import standings
from competition.leaderboard.board_files import as_plain, csv_lines
from competition.leaderboard.selectors import board
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.submissions.results_csv import csv_rows
from competition.tracks.models import Track
from tests.examples import scored_report


@pytest.fixture
def score(
    make_evaluation: Callable[..., Evaluation], track: Track, now: datetime
) -> Callable[..., Evaluation]:
    """Return a function that scores an entry that was captured, was not, or is of before there was capture."""

    def score(user: User, *, captured: bool | None) -> Evaluation:
        evaluation = make_evaluation(user, track)
        lease = lifecycle.claim(evaluation.pk, owner="w", now=now)
        report = scored_report()
        report = replace(report, usage=replace(report.usage, captured=captured))
        lifecycle.record_scored(lease, report, now=now, place=standings.place)
        return evaluation

    return score


@pytest.mark.parametrize(("captured", "cell"), [(True, "true"), (False, "false"), (None, "")])
def test_a_row_and_its_files_say_whether_the_entry_was_captured(
    alice: User, track: Track, score: Callable[..., Evaluation], captured: bool | None, cell: str
) -> None:
    score(alice, captured=captured)

    header, line = (text.split(",") for text in "".join(csv_lines(board(track))).splitlines())
    (row,) = json.loads(json.dumps(as_plain(board(track))))["rows"]

    assert board(track).rows[0].captured is captured
    assert row["captured"] is captured
    assert line[header.index("captured")] == cell


@pytest.mark.parametrize(("captured", "cell"), [(True, "true"), (False, "false"), (None, "")])
def test_the_organisers_csv_says_whether_the_entry_was_captured(
    alice: User, track: Track, score: Callable[..., Evaluation], captured: bool | None, cell: str
) -> None:
    score(alice, captured=captured)

    header, line = (text.strip().split(",") for text in csv_rows(track))

    assert line[header.index("captured")] == cell


def test_a_report_of_before_there_was_capture_says_nothing_of_it(
    alice: User, track: Track, score: Callable[..., Evaluation]
) -> None:
    evaluation = score(alice, captured=True)
    evaluation.refresh_from_db()
    del evaluation.usage["captured"]
    evaluation.save()

    assert board(track).rows[0].captured is None


@pytest.mark.parametrize(("captured", "times"), [(True, 0), (False, 1), (None, 0)])
def test_the_page_marks_those_alone_that_were_not_captured(
    client: Client,
    alice: User,
    track: Track,
    score: Callable[..., Evaluation],
    captured: bool | None,
    times: int,
) -> None:
    score(alice, captured=captured)

    page = client.get(f"/tracks/{track.slug}/leaderboard/").content.decode()

    assert page.count("counted by running it") == times
