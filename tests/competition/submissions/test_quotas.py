"""Slots at their edges: the minute that people read, and whose evaluations a submission is charged for."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from competition.submissions import quotas
from competition.submissions.models import Evaluation
from competition.submissions.quotas import Slots
from competition.tracks.models import Track
from scoring.contracts import Status
from tests.examples import START


@pytest.mark.parametrize(
    ("after", "minutes"),
    [
        (timedelta(0), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(seconds=59, microseconds=999_999), 1),
        (timedelta(minutes=1), 1),
    ],
)
def test_the_next_slot_is_told_by_the_minute_in_which_it_is_open(after: timedelta, minutes: int) -> None:
    slots = Slots(used=1, allowed=1, window_hours=24, next_slot_at=START + after)

    assert slots.next_slot_minute == START + timedelta(minutes=minutes)


def test_a_fault_of_ours_is_not_charged_because_another_submission_is(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    make_evaluation(alice, track)
    make_evaluation(alice, track, status=Status.FAILED, finished_at=now)

    assert quotas.slots(participant=alice, track=track, now=now).used == 1
