"""What machines are told: at any address, without an account, each part asked with a limit and not too often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from kombu import Connection
from pytest_django import DjangoAssertNumQueries, Settings

from competition.celery import app
from competition.operations import views
from competition.operations.readiness import NotReady, Readiness


@pytest.fixture(autouse=True)
def _ask_anew() -> Iterator[None]:
    views.own_readiness.cache_clear()
    yield
    views.own_readiness.cache_clear()


@pytest.fixture
def probe(settings: Settings) -> Client:
    """A probe of a cluster: by number, not by name, and without HTTPS."""
    settings.SECURE_SSL_REDIRECT = True
    return Client(headers={"host": "10.1.2.3:8000"}, raise_request_exception=False)


def fail(*_: object) -> None:
    raise OSError("password=hunter2")


# --- lives ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_process_that_lives_says_so_without_the_database(
    probe: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        answer = probe.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_nothing_is_sent_there(probe: Client, address: str) -> None:
    assert probe.post(address).status_code == 405


# --- ready ---------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_site_whose_parts_all_answer_is_ready(probe: Client) -> None:
    answer = probe.get("/readyz")

    parts = {"database": "ok", "migrations": "ok", "storage": "ok", "broker": "ok"}
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "parts": parts})


@pytest.mark.django_db(transaction=True)
def test_a_store_that_fails_is_named_and_pages_are_served_all_the_same(
    probe: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSystemStorage, "exists", fail)

    answer = probe.get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["parts"] == {
        "database": "ok",
        "migrations": "ok",
        "storage": "fails: OSError",
        "broker": "ok",
    }


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_named_and_pages_are_served_all_the_same(
    probe: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = partial(Connection, "redis://127.0.0.1:1/0")  # where nobody listens
    monkeypatch.setattr(app, "connection_for_write", away)

    answer = probe.get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["parts"]["broker"] != "ok"


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_is_not_applied_is_told(probe: Client) -> None:
    recorder = MigrationRecorder(connection)
    newest = MigrationLoader(connection).graph.leaf_nodes("tracks")[0]
    recorder.record_unapplied(*newest)
    try:
        answer = probe.get("/readyz")
    finally:
        recorder.record_applied(*newest)

    assert answer.status_code == 503
    assert answer.json()["parts"]["migrations"] == "migrations not applied: 1"


# --- each part with a limit, and kept for a while ------------------------------------------------


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def readiness(clock: Time, **parts: Callable[[], None]) -> Readiness:
    return Readiness(parts, limit_s=0.05, kept_s=5.0, clock=clock)


def test_a_part_that_hangs_holds_up_nobody_and_is_asked_once() -> None:
    clock, over = Time(), Event()
    asked = []

    def hang() -> None:
        asked.append(clock.now)
        over.wait(30)

    site = readiness(clock, hangs=hang, works=lambda: None)
    first = site.look()
    clock.now = 6.0
    second = site.look()
    over.set()
    site._asked["hangs"].result(30)
    clock.now = 12.0
    third = site.look()

    assert first == second == {"hangs": "no answer within 0.05 s", "works": "ok"}
    assert third == {"hangs": "ok", "works": "ok"}
    assert asked == [0.0]


def test_an_answer_is_kept_for_a_while() -> None:
    clock, asked = Time(), []
    site = readiness(clock, part=lambda: asked.append(clock.now))

    for now in (0.0, 4.9, 5.0):
        clock.now = now
        site.look()

    assert asked == [0.0, 5.0]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotReady("3 migrations are not applied"), "3 migrations are not applied"),
        (TimeoutError("x"), "fails: TimeoutError"),
    ],
)
def test_what_a_part_raises_is_told_without_its_text(error: Exception, told: str) -> None:
    def fail() -> None:
        raise error

    site = readiness(Time(), part=fail)

    assert site.look() == {"part": told}
