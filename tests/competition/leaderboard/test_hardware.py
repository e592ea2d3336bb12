"""Which class of machine scored an entry: in files always, on the page where it is not the track's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from competition.leaderboard import standings
from competition.leaderboard.board_files import as_plain, csv_lines
from competition.leaderboard.selectors import board
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from tests.examples import START, scored_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def score(make_evaluation: Callable[..., Evaluation], track: Track, alice: User) -> Callable[[str], None]:
    """Return a function that scores an entry on a machine of a class."""

    def score(hardware: str) -> None:
        lease = lifecycle.claim(make_evaluation(alice, track).pk, owner="w", now=START)
        lifecycle.record_scored(lease, scored_report(), hardware=hardware, now=START, place=standings.place)

    return score


@pytest.mark.parametrize("hardware", ["cpu", "gpu", ""])
def test_files_tell_the_class_of_every_row(track: Track, score: Callable[[str], None], hardware: str) -> None:
    score(hardware)

    header, line = (text.split(",") for text in "".join(csv_lines(board(track))).splitlines())

    assert line[header.index("hardware")] == hardware
    assert [row["hardware"] for row in as_plain(board(track))["rows"]] == [hardware]


@pytest.mark.parametrize(("hardware", "times"), [("cpu", 0), ("gpu", 1), ("", 0)])
def test_the_page_marks_those_alone_that_another_class_scored(
    client: Client, track: Track, score: Callable[[str], None], hardware: str, times: int
) -> None:
    score(hardware)

    page = client.get(f"/tracks/{track.slug}/leaderboard/").content.decode()

    assert page.count("scored on a machine of class gpu") == times
