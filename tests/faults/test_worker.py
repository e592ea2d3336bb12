"""The n-th call of the world fails, for n = 1, 2, 3 … until none fails: the state is sound each time."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from competition.leaderboard import standings
from competition.leaderboard.models import Standing
from competition.logs import formatter
from competition.submissions.lifecycle import Lease, LeaseLost, cancel
from competition.submissions.models import FINAL, Evaluation, Score
from competition.tracks.models import Track
from scoring.contracts import Status
from scoring.worker.evaluate import Workplace, drain
from scoring.worker.ports import Work
from scoring.worker.sweep import sweep
from tests.examples import Clock, scored_report
from tests.faults.conftest import DiskFull, FailingPorts, Outage, PlayedPorts, PowerCut, later

MAX_CALLS = 40


def assert_sound(evaluation: Evaluation) -> None:
    """Whatever failed: scores stand beside "scored" alone, and what is not final can be claimed again."""
    evaluation.refresh_from_db()
    scored = evaluation.status == Status.SCORED
    assert Score.objects.filter(evaluation=evaluation).count() == int(scored)
    assert Standing.objects.filter(evaluation=evaluation).count() == int(scored)
    assert evaluation.status in {*FINAL, Status.QUEUED, Status.RUNNING}
    assert evaluation.status != Status.FAILED


@pytest.mark.slow
@pytest.mark.parametrize("rejects", [False, True], ids=["scored", "rejected"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [DiskFull, Outage, PowerCut, KeyboardInterrupt])
def test_whichever_call_fails_the_next_worker_ends_it_with_exactly_one_result(
    make_evaluation: Callable[..., Evaluation],
    make_user: Callable[[str], User],
    track: Track,
    ports: PlayedPorts,
    place: Workplace,
    clock: Clock,
    error: type[BaseException],
    after: bool,
    rejects: bool,
) -> None:
    ports = replace(ports, rejects=rejects)
    for failing_call in count(1):
        evaluation = make_evaluation(make_user(f"user{failing_call}"), track, at=clock.now)
        failing = FailingPorts(ports=ports, failing_call=failing_call, error=error, after=after)

        with suppress(error):
            drain(failing, place)
        if not failing.failed:
            break
        assert_sound(evaluation)
        assert list(place.work_root.iterdir()) == []

        clock.now = later(clock.now)
        drain(replace(ports, owner="second"), place)
        assert_sound(evaluation)
        assert evaluation.status == (Status.REJECTED if rejects else Status.SCORED)
        assert failing_call < MAX_CALLS
    # claim, fetch, six stages noted, a result and a second claim: each failed once at least
    assert failing_call > 10
    assert not standings.examine(track.benchmark)


@pytest.mark.parametrize("failing_call", range(1, 12))
def test_a_worker_that_comes_back_from_the_dead_changes_nothing(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, clock: Clock, failing_call: int
) -> None:
    dead = FailingPorts(ports=ports, failing_call=failing_call + 1, error=PowerCut, after=False)
    with suppress(PowerCut):
        drain(dead, place)
    its_work = Work(
        lease=Lease(evaluation=evaluation.pk, owner="first", fence=1),
        submission=str(evaluation.submission_id),
    )
    clock.now = later(clock.now)
    drain(replace(ports, owner="second"), place)
    before = Evaluation.objects.values().get()

    with pytest.raises(LeaseLost):
        ports.record_scored(its_work, scored_report(1.0))

    assert Evaluation.objects.values().get() == before
    assert Score.objects.get().value == 0.9


def test_doubled_and_late_messages_do_nothing(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace
) -> None:
    assert [drain(ports, place) for _ in range(3)] == [1, 0, 0]
    assert Score.objects.count() == 1


def test_a_message_that_comes_while_another_worker_is_at_it_does_nothing(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace
) -> None:
    ports.claim()

    assert drain(replace(ports, owner="second"), place) == 0


def test_one_message_drains_the_queue(
    make_evaluation: Callable[..., Evaluation],
    alice: User,
    bob: User,
    track: Track,
    ports: PlayedPorts,
    place: Workplace,
) -> None:
    for user in (alice, bob, alice):
        make_evaluation(user, track)

    assert drain(ports, place) == 3


def test_an_entry_of_ours_that_always_fails_ends_in_failed_after_three_attempts(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, clock: Clock
) -> None:
    Path(evaluation.submission.entry.path).unlink()

    for _ in range(3):
        drain(ports, place)
        clock.now = later(clock.now)

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempts) == (Status.FAILED, 3)
    assert len(evaluation.reference) == 8
    assert "cannot be fetched" in evaluation.fault


def test_an_entry_that_changed_in_storage_is_our_fault(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace
) -> None:
    Path(evaluation.submission.entry.path).write_bytes(b"something else")

    drain(ports, place)

    evaluation.refresh_from_db()
    assert evaluation.status == Status.QUEUED
    assert "not what was stored there" in evaluation.fault


def test_a_worker_lost_three_times_is_closed_by_the_sweep(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, clock: Clock
) -> None:
    for _ in range(3):
        ports.claim()
        clock.now = later(clock.now)

    assert sweep(clock.now) == ()

    evaluation.refresh_from_db()
    assert evaluation.status == Status.FAILED


def test_the_sweep_wakes_the_queues_of_what_was_forgotten_and_of_what_was_abandoned(
    evaluation: Evaluation,
    make_track: Callable[..., Track],
    make_evaluation: Callable[..., Evaluation],
    bob: User,
    ports: PlayedPorts,
    clock: Clock,
) -> None:
    make_evaluation(bob, make_track("big", queue="gpu"))
    ports.claim()
    assert sweep(clock.now) == ("gpu",)

    clock.now = later(clock.now)

    assert sweep(clock.now) == ("cpu", "gpu")


def test_a_cancel_stops_the_run_at_its_next_sign_of_life(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, clock: Clock
) -> None:
    def cancel_it() -> float:
        cancel(evaluation.pk, now=clock.now)
        return next(ticks)

    ticks = map(float, count())

    drain(ports, replace(place, clock=cancel_it))

    evaluation.refresh_from_db()
    assert evaluation.status == Status.CANCELLED
    assert not Score.objects.exists()


def test_a_run_whose_lease_was_taken_meanwhile_stops_and_leaves_the_result_to_the_other(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, clock: Clock
) -> None:
    def sleep_too_long() -> float:
        tick = next(ticks)
        if tick == 2.0:
            clock.now = later(clock.now)
            second.claim()
        return tick

    second = replace(ports, owner="second")
    ticks = map(float, count())

    assert drain(ports, replace(place, clock=sleep_too_long)) == 1

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.lease_owner) == (Status.RUNNING, "second")
    assert not Score.objects.exists()


def test_a_worker_that_is_told_to_stop_gives_its_evaluation_back_at_once(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace
) -> None:
    def stop() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        drain(ports, replace(place, stop=stop))

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempts) == (Status.QUEUED, 0)
    assert list(place.work_root.iterdir()) == []


def test_the_reference_of_a_fault_leads_to_its_log_line_and_the_traceback(
    evaluation: Evaluation, ports: PlayedPorts, place: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    drain(FailingPorts(ports=ports, failing_call=2, error=DiskFull, after=False), place)

    evaluation.refresh_from_db()
    (record,) = [record for record in caplog.records if record.message == "fault"]
    told = json.loads(formatter("json").format(record))
    assert evaluation.reference
    assert told["reference"] == evaluation.reference == evaluation.faults.get().reference
    assert told["exception"].startswith("Traceback")
    assert "DiskFull: fetch" in told["exception"]
