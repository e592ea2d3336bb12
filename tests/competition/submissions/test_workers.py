"""Who shows that it works, who is thought to be gone, and since when a hardware class has nobody."""

from dataclasses import replace
from datetime import timedelta

import pytest

from competition.submissions.models import Evaluation, Worker
from competition.submissions.workers import (
    ALIVE_FOR,
    KEPT_FOR,
    Service,
    Sign,
    alive,
    forget_gone,
    service,
    show,
)
from tests.examples import START, Clock

pytestmark = pytest.mark.django_db

SIGN = Sign(name="a:1", machine="a", version="1.0", started_at=START, queues=("cpu", "gpu"))


def test_a_sign_of_life_is_a_row_that_is_renewed(clock: Clock, evaluation: Evaluation) -> None:
    show(SIGN, now=clock.now)
    show(replace(SIGN, evaluation_id=evaluation.pk, free_bytes=7), now=clock.advance(seconds=10))

    (row,) = Worker.objects.all()
    assert (row.started_at, row.seen_at, row.state) == (START, clock.now, Worker.State.SERVING)
    assert (row.evaluation, row.free_bytes, row.queues) == (evaluation, 7, ["cpu", "gpu"])


def test_alive_is_who_was_seen_lately_and_did_not_stop() -> None:
    show(SIGN, now=START)
    show(replace(SIGN, name="b:1"), now=START - ALIVE_FOR)
    show(replace(SIGN, name="c:1", state=Worker.State.STOPPED), now=START)

    assert [worker.name for worker in alive(START)] == ["a:1"]


def test_a_queue_is_served_by_who_works_for_it_and_by_who_rests() -> None:
    show(replace(SIGN, queues=("gpu",)), now=START)
    show(replace(SIGN, name="b:1", queues=("cpu",), state=Worker.State.RESTING), now=START)

    assert service("gpu", START) == service("cpu", START) == Service(is_served=True)


@pytest.mark.parametrize("state", [Worker.State.STOPPED, Worker.State.DRAINING])
def test_who_stops_or_drains_serves_nobody_any_more(state: Worker.State) -> None:
    show(replace(SIGN, state=state), now=START)

    assert service("gpu", START) == Service(is_served=False, seen_at=START)


def test_a_queue_without_workers_says_when_the_last_one_was_seen() -> None:
    for age_s in (100, 300):
        show(replace(SIGN, name=f"a:{age_s}"), now=START - timedelta(seconds=age_s))

    assert service("cpu", START) == Service(is_served=False, seen_at=START - timedelta(seconds=100))
    assert service("tpu", START) == Service(is_served=False, seen_at=None)


def test_the_rows_of_who_is_long_gone_are_removed_except_the_last_of_each_queue() -> None:
    old = START - KEPT_FOR
    show(SIGN, now=old)
    show(replace(SIGN, name="a:2"), now=old - timedelta(hours=1))
    show(replace(SIGN, name="a:3", queues=("tpu",)), now=old - timedelta(days=9))
    show(replace(SIGN, name="a:4", queues=("tpu", "cpu")), now=START)

    assert forget_gone(START) == 1

    assert {worker.name for worker in alive(START)} == {"a:4"}
    assert set(Worker.objects.values_list("name", flat=True)) == {"a:1", "a:3", "a:4"}
