"""Who is next, and who is not although he waits."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from competition.submissions import lifecycle, queue
from competition.submissions.models import Evaluation
from competition.submissions.queue import Served, Waiting, in_order
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import Status
from scoring.environment import entry_environment, installed_environment
from tests.examples import START, Clock

NOBODY = Served(tracks={}, lines={})
FRESH, RESCORE = Evaluation.Priority.FRESH, Evaluation.Priority.RESCORE


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.LEASE_S = 60.0
    settings.MAX_RUNNING_PER_PARTICIPANT = 1


def waiting(names: str, *, priority: int = FRESH) -> list[Waiting]:
    """Read "1a 1b": evaluations in order of arrival, each a track's digit and a participant's letter."""
    numbers = count(1)
    return [
        Waiting(
            evaluation=(n := next(numbers)),
            track=int(name[0]),
            participant=ord(name[1]),
            priority=priority,
            queued_at=START + timedelta(seconds=n),
        )
        for name in names.split()
    ]


def names(order: list[Waiting]) -> str:
    return " ".join(f"{w.track}{chr(w.participant)}" for w in order)


# --- order ---------------------------------------------------------------------------------------


def test_first_come_first_served_within_a_line() -> None:
    assert [w.evaluation for w in in_order(reversed(waiting("1a 1a 1a")), NOBODY)] == [1, 2, 3]


def test_participants_take_turns() -> None:
    assert names(in_order(waiting("1a 1a 1a 1b 1c"), NOBODY)) == "1a 1b 1c 1a 1a"


def test_tracks_take_turns() -> None:
    assert names(in_order(waiting("1a 1b 1c 2a 2b"), NOBODY)) == "1a 2a 1b 2b 1c"


def test_the_participant_served_longest_ago_comes_first() -> None:
    served = Served(tracks={}, lines={(1, ord("a")): START, (1, ord("b")): START - timedelta(minutes=1)})

    assert names(in_order(waiting("1a 1a 1b 1c"), served)) == "1c 1b 1a 1a"


def test_the_track_served_longest_ago_comes_first() -> None:
    assert names(in_order(waiting("1a 1b 2a"), Served(tracks={1: START}, lines={}))) == "2a 1a 1b"


def test_rescoring_runs_below_fresh_entries_of_every_track() -> None:
    old = waiting("1a", priority=RESCORE)

    assert names(in_order([*old, *waiting("2b 2b")], NOBODY)) == "2b 2b 1a"


@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from("abc")), max_size=12))
def test_the_order_is_what_serving_one_after_another_gives(lines: list[tuple[str, str]]) -> None:
    everybody = waiting(" ".join(track + who for track, who in lines))
    remaining, expected, served = list(everybody), [], NOBODY
    while remaining:
        first = in_order(remaining, served)[0]
        moment = START + timedelta(days=len(expected))
        served = Served(
            tracks={**served.tracks, first.track: moment}, lines={**served.lines, first.line: moment}
        )
        expected.append(first)
        remaining.remove(first)

    assert in_order(everybody, NOBODY) == expected


@given(st.integers(1, 30), st.integers(1, 5))
def test_a_newcomer_waits_for_one_turn_of_each_participant_at_most(hoard: int, others: int) -> None:
    crowd = " ".join(f"1{chr(ord('b') + n % others)}" for n in range(hoard * others))

    order = names(in_order(waiting(f"{crowd} 1a"), NOBODY)).split()

    assert order.index("1a") <= others


# --- claim ---------------------------------------------------------------------------------------


def claim(now: datetime, *, queues: tuple[str, ...] = ("cpu",)) -> int | None:
    lease = queue.claim_next(owner="worker", queues=queues, environment=installed_environment(), now=now)
    return lease.evaluation if lease else None


def test_nothing_is_claimed_from_an_empty_queue(db: None, now: datetime) -> None:
    assert claim(now) is None


def test_only_this_hardware_class_is_claimed(
    make_track: Callable[..., Track], make_evaluation: Callable[..., Evaluation], alice: User, now: datetime
) -> None:
    on_gpu = make_evaluation(alice, make_track("big", queue="gpu"))

    assert claim(now, queues=("cpu",)) is None
    assert claim(now, queues=("cpu", "gpu")) == on_gpu.pk


def test_one_participant_has_one_running_evaluation_on_a_track(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, now: datetime
) -> None:
    first, _ = make_evaluation(alice, track), make_evaluation(alice, track)
    of_bob = make_evaluation(bob, track, at=now)

    assert [claim(now), claim(now), claim(now)] == [first.pk, of_bob.pk, None]


def test_a_participant_may_run_on_two_tracks_at_once(
    make_evaluation: Callable[..., Evaluation], make_track: Callable[..., Track], alice: User, now: datetime
) -> None:
    for slug in ("one", "two"):
        make_evaluation(alice, make_track(slug))

    assert None not in [claim(now), claim(now)]


def test_the_cap_is_a_setting(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime, settings: Settings
) -> None:
    settings.MAX_RUNNING_PER_PARTICIPANT = 2
    for _ in range(3):
        make_evaluation(alice, track)

    assert [claim(now) is None for _ in range(3)] == [False, False, True]


def test_a_dead_worker_holds_no_place(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, clock: Clock
) -> None:
    make_evaluation(alice, track)
    make_evaluation(alice, track)
    claim(clock.now)

    assert claim(clock.advance(seconds=60)) is not None


def test_the_cap_is_checked_again_under_the_lock(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    for _ in range(2):
        make_evaluation(alice, track)
    seen_by_both = queue._waiting(lifecycle.claimable(now), ("cpu",))

    taken = [queue._claim(candidate, owner="worker", now=now) for candidate in seen_by_both]

    assert [lease is not None for lease in taken] == [True, False]


def test_a_candidate_that_was_taken_meanwhile_is_passed_over(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, clock: Clock, settings: Settings
) -> None:
    settings.MAX_RUNNING_PER_PARTICIPANT = 2
    make_evaluation(alice, track)
    (candidate,) = queue._waiting(lifecycle.claimable(clock.now), ("cpu",))
    claim(clock.now)

    assert queue._claim(candidate, owner="late", now=clock.now) is None


def test_the_next_candidate_is_claimed_if_the_first_is_taken_meanwhile(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, now: datetime
) -> None:
    first, second = make_evaluation(alice, track), make_evaluation(bob, track)

    def take_the_first_before_its_lock(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith("SELECT") and "auth_user" in sql:
            lifecycle.cancel(first.pk, now=now)
        return execute(sql, *rest)

    with connection.execute_wrapper(take_the_first_before_its_lock):
        claimed = claim(now)

    assert claimed == second.pk


def test_a_faulty_evaluation_waits_while_others_are_served(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    make_evaluation(alice, track)
    second = make_evaluation(alice, track, at=now + timedelta(seconds=1))
    lease = queue.claim_next(owner="worker", queues=("cpu",), environment=installed_environment(), now=now)
    lifecycle.record_fault(lease, reference="r", detail="", now=now)

    assert claim(now + timedelta(seconds=1)) == second.pk


def test_after_a_fault_the_entry_has_the_place_and_the_turn_that_it_had(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, clock: Clock
) -> None:
    first = make_evaluation(alice, track)
    make_evaluation(alice, track, at=clock.advance(seconds=1))
    make_evaluation(bob, track, at=clock.advance(seconds=1))
    lease = lifecycle.claim(first.pk, owner="worker", now=clock.now)
    lifecycle.record_fault(lease, reference="r", detail="", now=clock.now)
    first.refresh_from_db()

    assert queue.position(first, now=clock.now) == 1
    assert claim(clock.advance(minutes=1)) == first.pk


def test_a_claim_takes_a_constant_number_of_queries(
    make_evaluation: Callable[..., Evaluation],
    make_user: Callable[[str], User],
    track: Track,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(12):
        make_evaluation(make_user(f"user{number}"), track)

    # unfit versions, waiting, running, served; then savepoint, lock, count, update, fence and the nested savepoints
    with django_assert_num_queries(13):
        claim(now)


def test_queues_with_work_are_named_once(
    make_evaluation: Callable[..., Evaluation], make_track: Callable[..., Track], alice: User, now: datetime
) -> None:
    on_cpu, on_gpu = make_track("one"), make_track("two", queue="gpu")
    for track in (on_cpu, on_cpu, on_gpu):
        make_evaluation(alice, track)

    assert queue.queues_with_work(now) == {"cpu", "gpu"}


# --- packages ------------------------------------------------------------------------------------


def claim_with(environment: dict[str, str], now: datetime) -> int | None:
    lease = queue.claim_next(owner="worker", queues=("cpu",), environment=environment, now=now)
    return lease.evaluation if lease else None


def test_a_worker_with_another_package_claims_nothing_and_costs_nothing(
    evaluation: Evaluation, now: datetime
) -> None:
    assert claim_with({**installed_environment(), "torch": "99.1"}, now) is None

    evaluation.refresh_from_db()
    assert (evaluation.status, evaluation.attempts) == (Status.QUEUED, 0)
    assert queue.position(evaluation, now=now) == 1


def test_a_worker_without_a_package_claims_nothing(evaluation: Evaluation, now: datetime) -> None:
    environment = {name: version for name, version in installed_environment().items() if name != "timm"}

    assert claim_with(environment, now) is None


@pytest.mark.parametrize("column", ["reader_version", "metric_version"])
def test_a_worker_with_another_reader_or_metric_claims_nothing(
    evaluation: Evaluation, now: datetime, column: str
) -> None:
    old = getattr(evaluation.benchmark, column).replace("=1", "=0", 1)
    BenchmarkVersion.objects.update(**{column: old})

    assert claim(now) is None


def test_a_worker_claims_what_names_an_environment_only_if_it_has_it_installed(
    make_evaluation: Callable[..., Evaluation],
    make_track: Callable[..., Track],
    alice: User,
    now: datetime,
    own_environment: str,
) -> None:
    track = make_track("own", environment=own_environment)
    evaluation = make_evaluation(alice, track)

    without = claim_with(installed_environment(), now)
    other = claim_with({**installed_environment(), f"{own_environment}.txt": "sha256:other"}, now)

    assert (without, other) == (None, None)
    assert claim_with(entry_environment(), now) == evaluation.pk


def test_a_track_of_the_default_environment_does_not_wait_for_others(
    evaluation: Evaluation, now: datetime, own_environment: str
) -> None:
    assert claim_with(installed_environment(), now) == evaluation.pk


def test_what_a_worker_cannot_score_delays_nobody(
    make_evaluation: Callable[..., Evaluation],
    make_track: Callable[..., Track],
    make_user: Callable[[str], User],
    now: datetime,
) -> None:
    old = make_evaluation(make_user("early"), make_track("old"), at=now - timedelta(hours=1))
    BenchmarkVersion.objects.filter(pk=old.benchmark_id).update(environment={"torch": "1.5"})
    new = make_evaluation(make_user("late"), make_track("new"), at=now)

    assert claim(now) == new.pk
    assert claim(now) is None


def test_versions_that_cannot_be_scored_are_named_with_the_reason(
    evaluation: Evaluation, now: datetime
) -> None:
    environment = {**installed_environment(), "torch": "99.1"}

    ((version, changes),) = queue.unfit_versions(("cpu",), environment, now)

    assert version == evaluation.benchmark
    assert [(change.place, change.after) for change in changes] == [("environment: torch", "99.1")]


def test_versions_that_nothing_waits_on_are_not_named(track: Track, now: datetime) -> None:
    assert queue.unfit_versions(("cpu",), {}, now) == []


# --- what people see -----------------------------------------------------------------------------


def test_positions_are_the_order_of_claims(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, now: datetime
) -> None:
    first, third = make_evaluation(alice, track), make_evaluation(alice, track)
    second = make_evaluation(bob, track, at=now + timedelta(minutes=1))

    assert [queue.position(e, now=now) for e in (first, second, third)] == [1, 2, 3]


def test_a_position_is_that_of_the_time_asked_about(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, clock: Clock
) -> None:
    """Alice was served a moment ago, so Bob comes first although he came later; in a day that is forgotten."""
    make_evaluation(alice, track, status=Status.REJECTED, started_at=clock.now, finished_at=clock.now)
    of_alice = make_evaluation(alice, track)
    make_evaluation(bob, track, at=clock.advance(minutes=1))

    positions = [queue.position(of_alice, now=clock.now + timedelta(days=days)) for days in (0, 1)]

    assert positions == [2, 1]


def test_a_running_evaluation_has_no_position(evaluation: Evaluation, now: datetime) -> None:
    claim(now)
    evaluation.refresh_from_db()

    assert queue.position(evaluation) is None


def test_an_evaluation_that_has_left_since_it_was_read_has_no_position(
    evaluation: Evaluation, now: datetime
) -> None:
    claim(now)

    assert queue.position(evaluation, now=now) is None


def test_an_idle_queue_is_healthy(db: None, now: datetime) -> None:
    health = queue.health(now)

    assert (health.queued, health.running, health.lost, health.oldest_queued_s) == (0, 0, 0, 0.0)
    assert (health.median_wait_s, health.p95_wait_s) == (None, None)


def test_health_counts_waiting_running_and_lost(
    make_evaluation: Callable[..., Evaluation], make_track: Callable[..., Track], alice: User, clock: Clock
) -> None:
    for slug in ("one", "two", "three"):
        make_evaluation(alice, make_track(slug), at=clock.now)
    claim(clock.now)
    claim(clock.advance(seconds=90))

    health = queue.health(clock.now)

    assert (health.queued, health.running, health.lost, health.oldest_queued_s) == (1, 1, 1, 90.0)


def test_what_is_queued_for_later_has_not_waited_yet(evaluation: Evaluation, now: datetime) -> None:
    assert queue.health(now - timedelta(seconds=15)).oldest_queued_s == 0.0


def test_a_quantile_between_two_waits_is_the_longer_one(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    for seconds in (1, 2, 9):
        at = now - timedelta(seconds=seconds)
        make_evaluation(alice, track, at=at, status=Status.REJECTED, finished_at=now)

    health = queue.health(now)

    assert (health.median_wait_s, health.p95_wait_s) == (2.0, 9.0)


def test_the_wait_for_a_rescoring_is_nobody_s_wait_for_a_result(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    uploaded = now - timedelta(days=30)
    make_evaluation(alice, track, at=uploaded, status=Status.REJECTED, finished_at=now, priority=RESCORE)

    assert queue.health(now).ended_last_day == 0


def test_waits_are_from_upload_to_result(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    waits_s = [*range(1, 20), 1000]
    for seconds in waits_s:
        make_evaluation(
            alice,
            track,
            at=now - timedelta(seconds=seconds),
            status=Status.REJECTED,
            finished_at=now,
        )

    health = queue.health(now)

    assert (health.ended_last_day, health.median_wait_s, health.p95_wait_s) == (20, 10.0, 19.0)
