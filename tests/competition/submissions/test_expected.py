"""What waits is told when it may start, from how many started in the last hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from competition.submissions import expected
from competition.submissions.expected import expected_wait_s, poll_after_s
from competition.submissions.models import Evaluation
from competition.submissions.places import Place
from competition.tracks.models import Track
from tests.examples import START

pytestmark = pytest.mark.django_db

SECOND = Place(number=2, is_exact=True)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def started(make_evaluation: Callable[..., Evaluation], alice: User, track: Track) -> Callable[[int], None]:
    """Return a function that lets an evaluation have started so many minutes ago."""

    def act(minutes: int) -> None:
        row = make_evaluation(alice, track)
        Evaluation.objects.filter(pk=row.pk).update(started_at=START - timedelta(minutes=minutes))

    return act


def test_a_place_is_waited_for_at_the_pace_of_the_last_hour(started, evaluation: Evaluation) -> None:
    for minutes in (1, 20, 59, 61):
        started(minutes)

    assert expected_wait_s(evaluation, SECOND, START) == pytest.approx(2 * 3600 / 3)


def test_nothing_is_expected_where_nothing_started(started, evaluation: Evaluation) -> None:
    started(61)

    assert expected_wait_s(evaluation, SECOND, START) is None


def test_what_does_not_wait_expects_nothing(started, evaluation: Evaluation) -> None:
    started(1)

    assert expected_wait_s(evaluation, None, START) is None


def test_of_many_the_newest_tell_the_pace(
    started, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected, "MOST_COUNTED", 2)
    for minutes in (1, 2, 50):
        started(minutes)

    assert expected_wait_s(evaluation, SECOND, START) == pytest.approx(120)


def test_pages_far_from_the_front_ask_seldom() -> None:
    places = (None, 1, 10, 11, 1_000, 1_001)

    asked = [poll_after_s(None if n is None else Place(number=n, is_exact=True)) for n in places]

    assert asked == [2, 2, 2, 10, 10, 30]
