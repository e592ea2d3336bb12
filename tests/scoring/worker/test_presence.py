"""A worker's sign of life: written by its own thread, and no reason to stop."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from competition.submissions.models import Worker
from competition.submissions.workers import Sign
from scoring.worker.presence import Presence, measured_at

SIGN = Sign(name="a:1", machine="a", version="1.0", queues=("cpu",))


@pytest.mark.django_db(transaction=True)
def test_the_thread_shows_the_worker_and_ends_with_it() -> None:
    presence = Presence(SIGN)
    shown = presence.start()

    presence.end()
    shown.join()

    assert Worker.objects.get().state == Worker.State.STOPPED


@pytest.mark.django_db
def test_what_is_noted_stands_in_the_next_sign(now: datetime) -> None:
    presence = Presence(SIGN, now=lambda: now)

    presence.note(rest_cause="disk")
    presence.show()

    row = Worker.objects.get()
    assert (row.rest_cause, row.started_at, row.seen_at) == ("disk", now, now)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_stops_no_worker(caplog: pytest.LogCaptureFixture) -> None:
    presence = Presence(SIGN)

    def fail(execute: Callable[..., object], *arguments: object) -> object:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(fail):
        presence.show()
    presence.show()

    assert caplog.messages == ["worker_not_shown"]
    assert Worker.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_that_differs_is_measured_and_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, minutes: int
) -> None:
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(minutes=minutes))

    presence = Presence(SIGN, measure=partial(measured_at, tmp_path))
    presence.show()
    presence.show()

    row = Worker.objects.get()
    assert row.clock_ahead_s == pytest.approx(60 * minutes, abs=30)
    assert row.free_bytes
    assert caplog.messages == ["clock_differs"]


@pytest.mark.django_db
def test_a_right_clock_is_not_worth_a_word(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    Presence(SIGN, measure=partial(measured_at, tmp_path)).show()

    assert caplog.messages == []


@pytest.mark.django_db
def test_a_disk_that_is_gone_has_no_free_bytes(tmp_path: Path) -> None:
    assert measured_at(tmp_path / "none")["free_bytes"] is None
