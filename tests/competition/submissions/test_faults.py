"""What a fault of ours costs an entry: nothing if everybody met it, and an end only if machines are well."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.submissions.lifecycle.faults import (
    ALONE_FOR,
    LEFT_TO_OTHERS_FOR,
    LONGEST_DELAY,
    LONGEST_SHARED_DELAY,
    RETRY_DELAY,
    SHARED_DELAY,
    TRIED_FOR,
)
from competition.submissions.models import Evaluation, Worker
from competition.submissions.workers import Sign, show
from competition.tracks.models import Track
from scoring.contracts import Status
from scoring.errors import SHARED, Cause
from tests.examples import Clock, scored_report

Fail = Callable[..., Status]
Score = Callable[[str], None]


@pytest.fixture
def fail(evaluation: Evaluation, clock: Clock) -> Fail:
    """Return a function by which a machine's worker fails on the evaluation, as soon as it may be claimed.

    `beside` is another machine that works meanwhile.
    """

    def act(machine: str, cause: Cause = Cause.UNKNOWN, *, beside: str = "") -> Status:
        evaluation.refresh_from_db()
        clock.now = max(clock.now, evaluation.not_before or clock.now)
        lease = lifecycle.claim(evaluation.pk, owner=f"{machine}:1", now=clock.now)
        assert lease is not None
        if beside:
            is_seen(beside, clock.now)
        return lifecycle.record_fault(lease, reference="r", detail="d", cause=cause, now=clock.now)

    return act


@pytest.fixture
def score(
    make_evaluation: Callable[..., Evaluation], make_user: Callable[[str], User], track: Track, clock: Clock
) -> Score:
    """Return a function by which a machine's worker scores another entry a second later."""

    def act(machine: str) -> None:
        number = Evaluation.objects.count()
        other = make_evaluation(make_user(f"other{number}"), track, at=clock.advance(seconds=1))
        lease = lifecycle.claim(other.pk, owner=f"{machine}:1", now=clock.now)
        assert lease is not None
        lifecycle.record_scored(lease, scored_report(), now=clock.now, place=standings.place)

    return act


def is_seen(machine: str, now: datetime, state: Worker.State = Worker.State.SERVING) -> None:
    show(
        Sign(name=f"{machine}:1", machine=machine, version="1", started_at=now, queues=("cpu",), state=state),
        now=now,
    )


def rested(evaluation: Evaluation, now: datetime) -> timedelta:
    evaluation.refresh_from_db()
    assert evaluation.not_before is not None
    return evaluation.not_before - now


# --- attempts and rest ---------------------------------------------------------------------------


@pytest.mark.parametrize("cause", sorted(SHARED))
def test_shared_trouble_costs_no_attempt_and_fails_nobody_however_long_it_lasts(
    evaluation: Evaluation, fail: Fail, clock: Clock, cause: Cause
) -> None:
    for _ in range(20):
        assert fail("a", cause) is Status.QUEUED
        clock.advance(hours=3)

    evaluation.refresh_from_db()
    assert (evaluation.attempts, evaluation.faults.count()) == (0, 20)


def test_after_shared_trouble_an_entry_rests_for_seconds_that_grow(
    evaluation: Evaluation, fail: Fail, clock: Clock
) -> None:
    rests = []
    for _ in range(5):
        fail("a", Cause.DISK)
        rests.append(rested(evaluation, clock.now))

    assert rests[:3] == [SHARED_DELAY, 2 * SHARED_DELAY, 4 * SHARED_DELAY]
    assert rests[3:] == [LONGEST_SHARED_DELAY] * 2


def test_after_other_faults_an_entry_rests_for_up_to_minutes(
    evaluation: Evaluation, fail: Fail, clock: Clock
) -> None:
    rests = []
    for _ in range(9):
        fail("a")
        rests.append(rested(evaluation, clock.now))

    assert rests == [min(RETRY_DELAY * 2**n, LONGEST_DELAY) for n in range(9)]


def test_an_entry_keeps_its_place_whatever_we_do(evaluation: Evaluation, fail: Fail) -> None:
    before = (evaluation.queued_at, evaluation.priority)

    fail("a")
    fail("a", Cause.STORAGE)

    evaluation.refresh_from_db()
    assert (evaluation.queued_at, evaluation.priority, evaluation.started_at) == (*before, None)


def test_what_the_first_lost_worker_left_does_not_rest_and_what_the_next_left_does(
    evaluation: Evaluation, clock: Clock
) -> None:
    rests = []
    for _ in range(3):
        assert lifecycle.claim(evaluation.pk, owner="a:1", now=clock.now) is not None
        clock.advance(seconds=60)
        lifecycle.take_back_abandoned(now=clock.now)
        rests.append(rested(evaluation, clock.now))
        clock.advance(minutes=10)

    assert rests == [timedelta(0), 2 * RETRY_DELAY, 4 * RETRY_DELAY]
    assert {(fault.machine, fault.cause) for fault in evaluation.faults.all()} == {("a", Cause.LOST_WORKER)}


def test_the_sweep_leaves_what_may_only_be_cut_off_to_who_asks_for_work(
    evaluation: Evaluation, clock: Clock
) -> None:
    assert lifecycle.claim(evaluation.pk, owner="a:1", now=clock.now) is not None
    clock.advance(seconds=120)

    lifecycle.take_back_abandoned(now=clock.now, lost_for=timedelta(minutes=10))

    evaluation.refresh_from_db()
    assert evaluation.status == Status.RUNNING


# --- who leaves it to others ---------------------------------------------------------------------


def claims(evaluation: Evaluation, machine: str, now: datetime) -> bool:
    return lifecycle.claim(evaluation.pk, owner=f"{machine}:2", now=now) is not None


def test_a_machine_that_failed_on_it_leaves_it_to_another_that_works(
    evaluation: Evaluation, fail: Fail, clock: Clock
) -> None:
    fail("a")
    now = clock.advance(minutes=1)
    is_seen("b", now)

    assert [claims(evaluation, machine, now) for machine in "ab"] == [False, True]


@pytest.mark.parametrize("state", [Worker.State.RESTING, Worker.State.DRAINING, Worker.State.STOPPED])
def test_but_not_to_one_that_does_not_work(
    evaluation: Evaluation, fail: Fail, clock: Clock, state: Worker.State
) -> None:
    fail("a")
    now = clock.advance(minutes=1)
    is_seen("b", now, state)

    assert claims(evaluation, "a", now)


def test_nor_to_one_that_failed_on_it_as_well(evaluation: Evaluation, fail: Fail, clock: Clock) -> None:
    fail("a")
    fail("b")
    now = clock.advance(minutes=1)
    is_seen("b", now)

    assert claims(evaluation, "a", now)


def test_nor_for_ever(evaluation: Evaluation, fail: Fail, clock: Clock) -> None:
    fail("a")
    now = clock.now + LEFT_TO_OTHERS_FOR
    is_seen("b", now)

    assert claims(evaluation, "a", now)


# --- when it has failed --------------------------------------------------------------------------


def test_it_fails_when_two_machines_failed_on_it_and_scored_others_since(fail: Fail, score: Score) -> None:
    ends = []
    for machine in "aba":
        ends.append(fail(machine))
        score(machine)

    assert ends == [Status.QUEUED, Status.QUEUED, Status.FAILED]


def test_it_does_not_fail_while_one_of_two_machines_scores_nothing(
    fail: Fail, score: Score, clock: Clock
) -> None:
    for machine in "aba" * 4:
        assert fail(machine, beside="b") is Status.QUEUED
        score("a")
        clock.advance(minutes=15)


def test_one_sick_machine_of_two_fails_nobody_within_the_day(fail: Fail, score: Score, clock: Clock) -> None:
    """It fails on this entry again and again, and yet scores others between: it may be the machine."""
    began = clock.now
    while clock.now < began + timedelta(hours=20):
        assert fail("a", beside="b") is Status.QUEUED
        score("a")
        clock.advance(minutes=30)


def test_a_machine_that_is_alone_and_scores_others_fails_it_after_an_hour(
    fail: Fail, score: Score, clock: Clock
) -> None:
    began = clock.now
    while fail("a") is Status.QUEUED:
        assert clock.now < began + ALONE_FOR
        score("a")

    assert clock.now >= began + ALONE_FOR


def test_a_machine_that_is_alone_and_scores_nothing_fails_it_after_a_day(fail: Fail, clock: Clock) -> None:
    began = clock.now
    while fail("a") is Status.QUEUED:
        assert clock.now < began + TRIED_FOR

    assert clock.now >= began + TRIED_FOR


def test_a_score_that_began_before_the_fault_proves_nothing(fail: Fail, score: Score) -> None:
    score("a")
    score("b")
    for machine in "aba":
        assert fail(machine) is Status.QUEUED


def test_shared_trouble_after_the_last_attempt_is_not_what_fails_it(fail: Fail, score: Score) -> None:
    for machine in "ab":
        fail(machine)
        score(machine)

    assert fail("a", Cause.STORAGE) is Status.QUEUED
    assert fail("a") is Status.FAILED


def test_a_retry_by_staff_forgets_the_faults(
    evaluation: Evaluation, fail: Fail, score: Score, clock: Clock
) -> None:
    for machine in "aba":
        fail(machine)
        score(machine)

    assert lifecycle.retry(evaluation.pk, now=clock.now)

    assert not evaluation.faults.exists()
    assert fail("a") is Status.QUEUED
