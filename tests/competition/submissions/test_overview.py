"""What operators look at: states of workers, waits by turns, faults by cause, what failed or is held up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from competition.submissions import lifecycle, operating, workers
from competition.submissions.models import Evaluation, Worker
from competition.submissions.overview import Rejections, overview
from competition.submissions.workers import ALIVE_FOR, Sign
from competition.tracks.models import Track
from scoring.contracts import Status
from scoring.environment import entry_environment
from scoring.errors import Cause, reject
from tests.examples import START

pytestmark = pytest.mark.django_db

SIGN = Sign(
    name="a:1", machine="a", version=version("podium"), environment=entry_environment(), queues=("cpu",)
)


def show(sign: Sign = SIGN, *, ago: timedelta = timedelta(0)) -> Worker:
    workers.show(replace(sign, started_at=START), now=START - ago)
    return Worker.objects.get(name=sign.name)


def states() -> list[str | None]:
    return [row.state for row in overview(START).workers]


def test_a_worker_is_draining_until_it_has_ended_what_it_had(evaluation: Evaluation) -> None:
    worker = show()
    lease = lifecycle.claim(evaluation.pk, owner="a:1", now=START)
    operating.drain(worker=worker, by=None)
    before = states()

    lifecycle.record_rejected(lease, reject("empty_upload"), now=START)

    assert (before, states()) == (["draining"], ["drained"])


def test_what_a_worker_works_on_is_told_by_its_lease(evaluation: Evaluation) -> None:
    show()
    lifecycle.claim(evaluation.pk, owner="a:1", now=START)

    assert [row.evaluation for row in overview(START).workers] == [evaluation]


def test_a_worker_that_vanished_is_named_after_those_that_are_there() -> None:
    show(replace(SIGN, name="b:1"), ago=ALIVE_FOR)
    show(replace(SIGN, name="c:1", state=Worker.State.STOPPED), ago=ALIVE_FOR)
    show()

    assert [(row.worker.name, row.state) for row in overview(START).workers] == [
        ("a:1", "serving"),
        ("b:1", None),
    ]


def test_versions_that_differ_from_the_site_are_marked() -> None:
    show()
    show(replace(SIGN, name="b:1", version="0.0.1", environment={**entry_environment(), "torch": "1.5"}))

    same, other = overview(START).workers

    assert (same.is_other_version, same.packages) == (False, ())
    assert other.is_other_version
    assert [(each.name, each.worker) for each in other.packages] == [("torch", "1.5")]


def test_the_expected_wait_counts_turns_of_tracks_and_workers(
    make_track: Callable[..., Track], make_evaluation: Callable[..., Evaluation], alice: User, bob: User
) -> None:
    one, two, gpu = make_track("one"), make_track("two"), make_track("big", queue="gpu")
    for track, run_s in ((one, 10), (two, 40)):
        make_evaluation(
            bob, track, status=Status.REJECTED, code="crashed",
            started_at=START - timedelta(seconds=run_s), finished_at=START,
        )  # fmt: skip
    for track, number in ((one, 3), (two, 1), (gpu, 1)):
        for _ in range(number):
            make_evaluation(alice, track, at=START - timedelta(minutes=1))
    show()
    show(replace(SIGN, name="b:1"))

    rows = {row.track.slug: row for row in overview(START).queues}

    # Three turns of one and a single one of two, on two workers; after one turn of each, two is done.
    assert (rows["one"].wait_s, rows["two"].wait_s) == ((3 * 10 + 40) / 2, (10 + 40) / 2)
    assert (rows["one"].fresh, rows["one"].oldest_s) == (3, 60.0)
    assert (rows["big"].is_served, rows["big"].wait_s) == (False, None)


def test_a_wait_that_nobody_can_tell_is_not_told(evaluation: Evaluation) -> None:
    show()

    assert [row.wait_s for row in overview(START).queues] == [None]


def test_a_paused_track_is_listed_even_if_nothing_waits(track: Track) -> None:
    assert overview(START).queues == []
    operating.pause_track(track=track, by=None)

    (row,) = overview(START).queues
    assert (row.fresh, row.again, row.oldest_s) == (0, 0, None)


def test_faults_and_rejections_of_the_last_day_are_counted(
    make_evaluation: Callable[..., Evaluation], alice: User, track: Track
) -> None:
    for age_h in (1, 2, 25):
        row = make_evaluation(
            alice, track, status=Status.REJECTED, code="crashed", finished_at=START - timedelta(hours=age_h)
        )
        row.faults.create(
            worker="a:1",
            machine="a",
            cause=Cause.DISK,
            reference=f"r{age_h}",
            at=START - timedelta(hours=age_h),
        )

    found = overview(START)

    assert [(each.cause, each.number, each.last.reference) for each in found.faults] == [("disk", 2, "r1")]
    assert found.rejections == [Rejections("crashed", 2)]


def test_it_takes_as_many_queries_for_more_rows(
    make_track: Callable[..., Track], make_evaluation: Callable[..., Evaluation], alice: User
) -> None:
    def fill(name: str) -> None:
        track = make_track(name)
        show(replace(SIGN, name=f"{name}:1"))
        running = make_evaluation(alice, track)
        lifecycle.claim(running.pk, owner=f"{name}:1", now=START)
        make_evaluation(alice, track)
        failed = make_evaluation(alice, track, status=Status.FAILED, finished_at=START)
        failed.faults.create(worker="a:1", machine="a", cause=Cause.DISK, reference=name, at=START)
        held = make_evaluation(alice, track)
        operating.quarantine(submission=held.submission, reason="r", by=None)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            overview(START)
        return len(captured)

    fill("one")
    before = queries()
    for name in ("two", "three"):
        fill(name)

    assert queries() == before
