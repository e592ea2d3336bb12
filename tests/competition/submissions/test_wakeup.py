"""Wake-ups: one for each free worker at most, and a word to operators where nobody takes them."""

import logging
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from celery.beat import ScheduleEntry
from pytest_django import Settings

from competition import beat
from competition.beat import Scheduler
from competition.celery import app, lying
from competition.clock import database_now
from competition.submissions import wakeup
from competition.submissions.models import Evaluation, Worker
from competition.submissions.workers import Sign, free, show
from tests.examples import START

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue() -> str:
    """A hardware class that no other test uses: the broker in memory lives as long as the process."""
    return f"class-{uuid4().hex[:8]}"


def worker(queue: str, name: str, **fields: object) -> None:
    sign = Sign(name=f"{name}:1", machine=name, version="1", started_at=START, queues=(queue,))
    show(replace(sign, **fields), now=database_now())


def test_a_queue_that_nobody_declared_holds_nothing(queue: str) -> None:
    assert lying(queue) == 0


def test_wake_ups_do_not_pile_up_where_no_worker_takes_them(queue: str) -> None:
    for _ in range(5):
        wakeup.send_wake_up(queue)

    assert lying(queue) == 1


def test_there_is_a_wake_up_for_each_free_worker_and_no_more(queue: str, evaluation: Evaluation) -> None:
    for name in ("a", "b", "c"):
        worker(queue, name)
    worker(queue, "busy", evaluation_id=evaluation.pk)
    worker(queue, "drained", state=Worker.State.DRAINING)
    worker("another", "elsewhere")

    for _ in range(5):
        wakeup.send_wake_up(queue)

    assert (free(queue, database_now()), lying(queue)) == (3, 3)


def test_where_nobody_takes_a_wake_up_operators_are_told_since_when(
    queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    sign = Sign(name="a:1", machine="a", version="1", started_at=START, queues=(queue,))
    show(sign, now=START)

    wakeup.send_wake_up(queue)

    (record,) = [each for each in caplog.records if each.message == "queue_unserved"]
    assert (record.levelno, record.fields) == (logging.ERROR, {"queue": queue, "since": START.isoformat()})


def test_nothing_is_said_where_a_worker_is_there(queue: str, caplog: pytest.LogCaptureFixture) -> None:
    worker(queue, "a")

    wakeup.send_wake_up(queue)

    assert "queue_unserved" not in {each.message for each in caplog.records}


def test_a_broker_that_is_down_is_no_error(
    queue: str, monkeypatch: pytest.MonkeyPatch, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("refused")

    monkeypatch.setattr(app, "send_task", refuse)

    wakeup.send_wake_up(queue)

    assert "wake_up_not_sent" in {each.message for each in caplog.records}


def test_beat_leaves_turns_out_while_nobody_takes_its_messages(
    queue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beat, "MOST_LYING", 3)
    schedule = Scheduler(app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    turn = ScheduleEntry(name="sweep", task="podium.sweep", schedule=15.0, options={"queue": queue}, app=app)

    for _ in range(10):
        schedule.apply_entry(turn)

    assert lying(queue) == 3


def test_every_message_of_beat_is_void_by_its_next_turn(settings: Settings) -> None:
    turns = settings.CELERY_BEAT_SCHEDULE.values()

    assert [turn["options"] for turn in turns] == [
        {"expires": turn["schedule"], "expiration": turn["schedule"]} for turn in turns
    ]
    assert f"{Scheduler.__module__}:{Scheduler.__qualname__}" == settings.CELERY_BEAT_SCHEDULER
