"""What a worker tries before it claims, and that it rests while something fails."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError

from competition.submissions.models import Evaluation
from scoring.errors import Cause, Fault
from scoring.worker.breaker import Breaker, Position
from scoring.worker.fitness import Unfit, first_unfit, try_database, try_disk, try_sandbox, try_storage
from scoring.worker.rest import TRUSTED_S, Rest
from tests.examples import Clock
from tests.faults.conftest import breaker_on, rest_on


def test_a_disk_with_room_passes_and_keeps_nothing(tmp_path: Path) -> None:
    try_disk((tmp_path / "work", tmp_path / "cache"), min_free_bytes=1)

    assert [path for folder in tmp_path.iterdir() for path in folder.iterdir()] == []


def test_a_disk_with_too_little_room_is_named(tmp_path: Path) -> None:
    found = first_unfit({Cause.DISK: lambda: try_disk((tmp_path,), min_free_bytes=2**62)})

    assert found is not None
    assert found.cause is Cause.DISK
    assert f"at least {2**62:,} must be" in found.why


def test_a_disk_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    found = first_unfit({Cause.DISK: lambda: try_disk((tmp_path / "file" / "work",), min_free_bytes=1)})

    assert found is not None
    assert found.cause is Cause.DISK


@pytest.mark.django_db
def test_a_store_without_files_has_lost_none() -> None:
    try_storage()


def test_a_store_that_has_one_of_the_newest_files_works(
    evaluation: Evaluation, make_evaluation: Callable[..., Evaluation]
) -> None:
    newer = make_evaluation(evaluation.submission.participant, evaluation.submission.track)
    default_storage.delete(str(newer.submission.entry.name))

    try_storage()


def test_a_store_that_has_none_of_the_newest_files_is_not_mounted(evaluation: Evaluation) -> None:
    default_storage.delete(str(evaluation.submission.entry.name))

    found = first_unfit({Cause.STORAGE: try_storage})

    assert found is not None
    assert found.cause is Cause.STORAGE


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes_is_named() -> None:
    def fail() -> None:
        raise OperationalError("cannot execute UPDATE in a read-only transaction")

    found = first_unfit({Cause.DATABASE: lambda: try_database(fail)})

    assert found == Unfit(
        cause=Cause.DATABASE, why="OperationalError: cannot execute UPDATE in a read-only transaction"
    )


def test_a_sandbox_that_stands_by_is_proof_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.worker.fitness.trial_failure", lambda name: f"{name} is broken")

    try_sandbox("bubblewrap", has_spare=lambda: True)
    with pytest.raises(Fault, match="bubblewrap is broken"):
        try_sandbox("bubblewrap", has_spare=lambda: False)


def test_a_test_that_meets_other_trouble_names_that() -> None:
    def fail() -> None:
        raise OperationalError("gone")

    found = first_unfit({Cause.STORAGE: fail})

    assert found is not None
    assert found.cause is Cause.DATABASE


# --- rest ----------------------------------------------------------------------------------------


def test_a_worker_that_is_fit_is_not_tried_again_at_once(clock: Clock) -> None:
    tried: list[float] = []
    rest = rest_on(clock, examine=lambda: tried.append(clock.now.timestamp()))

    for _ in range(3):
        rest.until_fit()
    clock.advance(seconds=TRUSTED_S)
    rest.until_fit()

    assert len(tried) == 2


def test_it_rests_until_the_tests_pass_and_says_so(clock: Clock) -> None:
    shown: list[tuple[Position, Cause]] = []
    ends = clock.now.timestamp() + 60
    trouble = Unfit(cause=Cause.DISK, why="full")
    rest = rest_on(
        clock,
        examine=lambda: trouble if clock.now.timestamp() < ends else None,
        show=lambda breaker: shown.append((breaker.position, breaker.cause)),
    )

    rest.until_fit()

    assert 0 <= clock.now.timestamp() - ends < 30
    assert shown == [(Position.OPEN, Cause.DISK)] * 4 + [(Position.HALF_OPEN, Cause.DISK)]


def test_after_a_success_it_says_that_it_works(clock: Clock) -> None:
    shown: list[Position] = []
    rest = rest_on(clock, show=lambda breaker: shown.append(breaker.position))

    rest.after(Cause.UNKNOWN)
    rest.until_fit()
    rest.over()
    rest.over()

    assert shown == [Position.OPEN, Position.HALF_OPEN, Position.CLOSED]


def test_a_worker_that_rests_can_be_stopped(clock: Clock) -> None:
    def stop() -> None:
        raise SystemExit

    rest = Rest(breaker=breaker_on(clock), stop=stop)
    rest.after(Cause.UNKNOWN)

    with pytest.raises(SystemExit):
        rest.until_fit()


@pytest.mark.parametrize(
    ("error", "found", "cause"),
    [
        (RuntimeError("boom"), None, Cause.UNKNOWN),
        (RuntimeError("boom"), Unfit(cause=Cause.DISK, why="full"), Cause.DISK),
        (Fault("no sandbox", cause=Cause.SANDBOX), None, Cause.UNKNOWN),
        (Fault("no sandbox", cause=Cause.SANDBOX), Unfit(cause=Cause.SANDBOX, why="none"), Cause.SANDBOX),
        (Fault("no store", cause=Cause.STORAGE), None, Cause.STORAGE),
    ],
)
def test_what_an_error_does_not_tell_the_tests_find(
    clock: Clock, error: Exception, found: Unfit | None, cause: Cause
) -> None:
    assert rest_on(clock, examine=lambda: found).cause_of(error) is cause


def test_without_settings_a_worker_is_fit() -> None:
    rest = Rest(breaker=Breaker(clock=lambda: 0.0))

    rest.until_fit()

    assert rest.breaker.position is Position.CLOSED
