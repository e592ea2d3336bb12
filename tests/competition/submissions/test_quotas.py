"""Slots at their edges: the minute that people read, and whose evaluations a submission is charged for."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from competition.submissions import quotas
from competition.submissions.models import Evaluation
from competition.submissions.quotas import Slots
from competition.tracks.models import Track
from scoring.contracts import Stage, Status
from tests.examples import START, new_benchmark, set_fields


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


@pytest.fixture
def reject_early(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track
) -> Callable[..., None]:
    """Return a function that makes a rejection at a stage, so many minutes after the start."""

    def act(minute: float, stage: str = Stage.INTAKE) -> None:
        at = START + timedelta(minutes=minute)
        make_evaluation(
            alice, track, at=at, status=Status.REJECTED, stage=stage, code="missing_file", finished_at=at
        )

    return act


@pytest.mark.parametrize(
    ("stage", "used"),
    [("", 0), *((stage, 0 if stage in (Stage.INTAKE, Stage.INSPECT) else 1) for stage in Stage)],
)
def test_a_rejection_before_measure_uses_no_slot(
    reject_early: Callable[..., None], alice: User, track: Track, stage: str, used: int
) -> None:
    reject_early(0, stage)

    assert quotas.slots(participant=alice, track=track, now=START).used == used


def test_beyond_the_free_ones_of_an_hour_early_rejections_use_slots(
    reject_early: Callable[..., None], alice: User, track: Track
) -> None:
    set_fields(track, free_rejections=2)
    for minute in (0, 10, 20, 59, 60, 80, 200):
        reject_early(minute)

    slots = quotas.slots(participant=alice, track=track, now=START + timedelta(minutes=200))

    # Two came less than an hour before each of the third to fifth, and of the one of minute 80: 59 and 60.
    assert (slots.used, slots.free_rejections, slots.free_rejections_used) == (4, 2, 1)


def test_where_no_rejection_is_free_each_uses_a_slot(
    reject_early: Callable[..., None], alice: User, track: Track
) -> None:
    set_fields(track, free_rejections=0)
    reject_early(0)

    slots = quotas.slots(participant=alice, track=track, now=START + timedelta(minutes=1))

    assert (slots.used, slots.free_rejections_used) == (1, 0)


def test_rejections_from_before_the_window_still_count_towards_the_hour(
    reject_early: Callable[..., None], alice: User, track: Track
) -> None:
    set_fields(track, free_rejections=1)
    reject_early(-10)
    reject_early(10)

    slots = quotas.slots(
        participant=alice, track=track, now=START + timedelta(hours=track.quota_window_hours)
    )

    assert slots.used == 1


def test_a_scored_submission_stays_charged_when_its_rescore_is_rejected_early(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    scored = make_evaluation(alice, track, status=Status.SCORED, stage=Stage.METRIC, finished_at=now)
    new_benchmark(track)
    Evaluation.objects.create(
        submission=scored.submission, benchmark=track.benchmark, status=Status.REJECTED,
        stage=Stage.INTAKE, finished_at=now,
    )  # fmt: skip

    assert quotas.slots(participant=alice, track=track, now=now).used == 1
