"""The queue's health on the status page."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from competition.submissions import queue
from competition.submissions.health import health
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from scoring.contracts import Status
from scoring.environment import installed_environment
from tests.examples import Clock


def claim(now: datetime) -> None:
    queue.claim_next(owner="worker", queues=("cpu",), environment=installed_environment(), now=now)


def test_an_idle_queue_is_healthy(db: None, now: datetime) -> None:
    found = health(now)

    assert (found.queued, found.running, found.lost, found.oldest_queued_s) == (0, 0, 0, 0.0)
    assert (found.median_wait_s, found.p95_wait_s) == (None, None)


def test_health_counts_waiting_running_and_lost(
    make_evaluation: Callable[..., Evaluation], make_track: Callable[..., Track], alice: User, clock: Clock
) -> None:
    for slug in ("one", "two", "three"):
        make_evaluation(alice, make_track(slug), at=clock.now)
    claim(clock.now)
    claim(clock.advance(seconds=90))

    found = health(clock.now)

    assert (found.queued, found.running, found.lost, found.oldest_queued_s) == (1, 1, 1, 90.0)


def test_what_is_queued_for_later_has_not_waited_yet(evaluation: Evaluation, now: datetime) -> None:
    assert health(now - timedelta(seconds=15)).oldest_queued_s == 0.0


def test_a_quantile_between_two_waits_is_the_longer_one(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    for seconds in (1, 2, 9):
        at = now - timedelta(seconds=seconds)
        make_evaluation(alice, track, at=at, status=Status.REJECTED, finished_at=now)

    found = health(now)

    assert (found.median_wait_s, found.p95_wait_s) == (2.0, 9.0)


def test_the_wait_for_a_rescoring_is_nobody_s_wait_for_a_result(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track, now: datetime
) -> None:
    uploaded = now - timedelta(days=30)
    make_evaluation(
        alice,
        track,
        at=uploaded,
        status=Status.REJECTED,
        finished_at=now,
        priority=Evaluation.Priority.RESCORE,
    )

    assert health(now).ended_last_day == 0


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

    found = health(now)

    assert (found.ended_last_day, found.median_wait_s, found.p95_wait_s) == (20, 10.0, 19.0)
