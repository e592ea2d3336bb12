"""Ranks are kept once a day, and a board tells who has risen since."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from competition.leaderboard import standings, yesterday
from competition.leaderboard.models import BoardRow
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from tests.examples import START, scored_report

pytestmark = pytest.mark.django_db

NEXT_DAY = START + timedelta(days=1)


@pytest.fixture
def give(make_evaluation: Callable[..., Evaluation], track: Track) -> Callable[[User, float], None]:
    def act(user: User, value: float) -> None:
        lease = lifecycle.claim(make_evaluation(user, track).pk, owner="w", now=START)
        lifecycle.record_scored(lease, scored_report(value), now=START, place=standings.place)

    return act


def kept() -> dict[str, tuple[int | None, int | None]]:
    """Return each participant's rank before, and now."""
    rows = BoardRow.objects.values_list("participant__username", "rank_before", "rank")
    return {name: (before, now) for name, before, now in rows}


def test_a_board_that_began_today_has_no_yesterday(give, alice: User) -> None:
    give(alice, 0.5)

    yesterday.sweep(START)
    yesterday.sweep(START + timedelta(hours=1))

    assert kept() == {"alice": (None, 1)}


def test_who_has_risen_since_is_told_until_the_next_day(give, alice: User, bob: User) -> None:
    give(alice, 0.5)
    give(bob, 0.4)
    yesterday.sweep(START)
    yesterday.sweep(NEXT_DAY)
    give(bob, 0.9)

    yesterday.sweep(NEXT_DAY + timedelta(hours=1))
    same_day = kept()
    yesterday.sweep(NEXT_DAY + timedelta(days=1))

    assert same_day == {"alice": (1, 2), "bob": (2, 1)}
    assert kept() == {"alice": (2, 2), "bob": (1, 1)}


def test_who_came_today_has_no_rank_of_yesterday(give, alice: User, bob: User) -> None:
    give(alice, 0.5)
    yesterday.sweep(START)
    yesterday.sweep(NEXT_DAY)

    give(bob, 0.9)

    assert kept() == {"alice": (1, 2), "bob": (None, 1)}


def test_a_board_is_kept_in_parts(give, make_user, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yesterday, "ROWS_AT_ONCE", 2)
    for number in range(5):
        give(make_user(f"p{number}"), number / 10)
    yesterday.sweep(START)

    yesterday.sweep(NEXT_DAY)

    assert {before == now for before, now in kept().values()} == {True}
