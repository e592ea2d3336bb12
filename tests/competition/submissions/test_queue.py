"""Who is claimed next, and who is not although he waits."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import DjangoAssertNumQueries, Settings

from competition.submissions import lifecycle, queue
from competition.submissions.models import Evaluation
from competition.submissions.places import Place, place_of
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import Status
from scoring.environment import entry_environment, installed_environment
from tests.examples import Clock


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.LEASE_S = 60.0
    settings.MAX_RUNNING_PER_PARTICIPANT = 1


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
    first, _ = make_evaluation(alice, track), make_evaluation(alice, track)
    (seen_by_both,) = {
        queue._first([track.benchmark_id], without=set(), aside=set(), now=now) for _ in range(2)
    }

    taken = [queue._claim(seen_by_both, owner="worker", now=now) for _ in range(2)]

    assert [lease.evaluation if lease else None for lease in taken] == [first.pk, None]


def test_a_candidate_that_was_taken_meanwhile_is_passed_over(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime, settings: Settings
) -> None:
    settings.MAX_RUNNING_PER_PARTICIPANT = 2
    make_evaluation(alice, track)
    candidate = queue._first([track.benchmark_id], without=set(), aside=set(), now=now)
    claim(now)

    assert queue._claim(candidate, owner="late", now=now) is None


def test_the_next_candidate_is_claimed_if_the_first_is_taken_meanwhile(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, now: datetime
) -> None:
    first, second = make_evaluation(alice, track), make_evaluation(bob, track)

    def take_the_first_before_its_lock(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith("SELECT") and 'FROM "submissions_line" WHERE "submissions_line"."id"' in sql:
            cancel_once(first.pk)
        return execute(sql, *rest)

    cancelled: set[int] = set()

    def cancel_once(evaluation: int) -> None:
        if evaluation not in cancelled:
            cancelled.add(evaluation)
            lifecycle.cancel(evaluation, now=now)

    with connection.execute_wrapper(take_the_first_before_its_lock):
        claimed = claim(now)

    assert cancelled == {first.pk}
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

    assert place_of(first) == Place(number=1, is_exact=True)
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

    # versions, what runs, what rests, what was abandoned, whether it drains, heads; then line, worker, count, line,
    # row, update, line, lanes; the others are savepoints and the evaluation's line
    with django_assert_num_queries(18):
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
    assert place_of(evaluation) == Place(number=1, is_exact=True)


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

    ((version, changes),) = queue.unfit_versions(("cpu",), environment)

    assert version == evaluation.benchmark
    assert [(change.place, change.after) for change in changes] == [("environment: torch", "99.1")]


def test_versions_that_nothing_waits_on_are_not_named(track: Track, now: datetime) -> None:
    assert queue.unfit_versions(("cpu",), {}) == []
