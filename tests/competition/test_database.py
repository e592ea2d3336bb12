"""Whoever cannot have a lock is told to come again, soon; whoever holds one and has vanished loses it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from competition.accounts.tokens import make_token
from competition.database import Trouble, postgresql_options, sqlite_options, trouble_of
from competition.pages import tracks as views
from competition.submissions.locks import lock_participant
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Track

PATIENCE_S = 30.0
PAGE, SCRIPT, API = "text/html", "application/json", "*/*"


@pytest.fixture
def on_postgresql(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks the whole database, and knows no sessions")


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that gives all connections of the test limits of its own."""
    options = connection.settings_dict["OPTIONS"]

    def limit(*, lock_s: float, idle_transaction_s: float = 0) -> None:
        ours = sqlite_options(lock_s=lock_s)
        if connection.vendor == "postgresql":
            ours = postgresql_options(
                {}, lock_s=lock_s, statement_s=60, idle_transaction_s=idle_transaction_s, silence_s=30
            )
        for name, value in ours.items():
            monkeypatch.setitem(options, name, value)
        connection.close()

    yield limit
    connection.close()


@contextmanager
def lock_held(participant: User, errors: list[BaseException] | None = None) -> Iterator[None]:
    """Let somebody else hold the participant's lock, in a transaction that says nothing more."""
    taken, done = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                lock_participant(participant.pk)
                taken.set()
                done.wait(PATIENCE_S)
        except (DatabaseError, InterfaceError) as exc:
            if errors is None:
                raise
            errors.append(exc)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert taken.wait(PATIENCE_S)
        try:
            yield
        finally:
            done.set()
            holder.result()


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def upload(client: Client, track: Track, accept: str = PAGE, content: bytes = b"PK entry") -> HttpResponse:
    entry = {"entry": SimpleUploadedFile("entry.zip", content)}
    address = reverse("api-submit" if accept == API else "submit", args=[track.slug])
    answer: HttpResponse = client.post(address, entry, headers={"Accept": accept})
    return answer


# --- a lock that cannot be had --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("accept", [PAGE, SCRIPT, API])
def test_an_upload_that_cannot_have_the_lock_is_told_to_come_again(
    limits: Callable[..., None], alice: User, track: Track, accept: str
) -> None:
    token = make_token(owner=alice, name="test")
    client = browser(alice)
    client.defaults["HTTP_AUTHORIZATION"] = f"Token {token}"
    limits(lock_s=0.2)

    with lock_held(alice):
        refused = upload(client, track, accept)
    accepted = upload(client, track, accept)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    if accept == API:
        assert refused.json()["code"] == "busy"
        assert refused.json()["retry_after_s"] == 5
    elif accept == SCRIPT:
        assert [finding["code"] for finding in refused.json()["findings"]] == ["busy"]
    else:
        assert b"Busy for a moment" in refused.content
    assert accepted.status_code in {201, 302}
    assert Submission.objects.count() == Evaluation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_refused_upload_leaves_no_file(
    limits: Callable[..., None], alice: User, track: Track, settings
) -> None:
    client = browser(alice)
    limits(lock_s=0.2)

    with lock_held(alice):
        upload(client, track)

    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []


@pytest.mark.django_db(transaction=True)
def test_other_people_do_not_wait_with_nine_tries_of_one(
    on_postgresql: None, limits: Callable[..., None], alice: User, bob: User, track: Track
) -> None:
    tries, others = [browser(alice) for _ in range(9)], browser(bob)
    limits(lock_s=0.5)

    def try_once(client: Client) -> int:
        try:
            return upload(client, track).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(9) as pool, lock_held(alice):
        answers = list(pool.map(try_once, tries))
        of_bob = upload(others, track).status_code

    assert answers == [503] * 9
    assert of_bob == 302


@pytest.mark.django_db(transaction=True)
def test_reading_needs_no_lock(limits: Callable[..., None], alice: User, track: Track) -> None:
    client = browser(alice)
    limits(lock_s=0.2)

    with lock_held(alice):
        answers = [client.get(reverse("submit", args=[track.slug])), client.get(track.get_absolute_url())]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.django_db(transaction=True)
def test_a_holder_that_says_nothing_more_loses_the_lock(
    on_postgresql: None, limits: Callable[..., None], alice: User
) -> None:
    limits(lock_s=PATIENCE_S, idle_transaction_s=0.3)
    errors: list[BaseException] = []

    with lock_held(alice, errors), transaction.atomic():
        lock_participant(alice.pk)

    assert [trouble_of(exc) for exc in errors] == [Trouble.AWAY]


@pytest.mark.django_db
def test_a_session_has_the_limits_of_the_settings(on_postgresql: None) -> None:
    names = ("lock_timeout", "statement_timeout", "tcp_keepalives_idle", "tcp_user_timeout")

    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(names)])
        found = dict(cursor.fetchall())

    assert found == {
        "lock_timeout": "5000",
        "statement_timeout": "30000",
        "tcp_keepalives_idle": "15",
        "tcp_user_timeout": "30000",
    }


# --- how to connect -------------------------------------------------------------------------------


def test_what_the_address_of_the_database_says_wins() -> None:
    given = {"connect_timeout": "2", "options": "-c lock_timeout=1", "sslmode": "require"}

    options = postgresql_options(given, lock_s=5, statement_s=0, idle_transaction_s=0.5, silence_s=0)

    assert options == {
        "connect_timeout": "2",
        "sslmode": "require",
        "options": "-c lock_timeout=5000 -c statement_timeout=0 -c idle_in_transaction_session_timeout=500"
        " -c jit=off -c lock_timeout=1",
    }


def test_both_ends_look_for_signs_of_life() -> None:
    options = postgresql_options({}, lock_s=5, statement_s=30, idle_transaction_s=30, silence_s=30)

    assert options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"] <= 30
    assert options["tcp_user_timeout"] == 30_000
    assert "-c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3" in str(
        options["options"]
    )


# --- what an error means --------------------------------------------------------------------------


def caused(error: type[Exception], cause: BaseException | None) -> Exception:
    exc = error("…")
    exc.__cause__ = cause
    return exc


def of_sqlite(code: int) -> sqlite3.OperationalError:
    exc = sqlite3.OperationalError("…")
    exc.sqlite_errorcode = code
    return exc


@pytest.mark.parametrize(
    ("exc", "trouble"),
    [
        (caused(OperationalError, psycopg.errors.LockNotAvailable()), Trouble.BUSY),
        (caused(OperationalError, psycopg.errors.QueryCanceled()), Trouble.BUSY),
        (caused(OperationalError, psycopg.errors.DeadlockDetected()), Trouble.BUSY),
        (caused(OperationalError, of_sqlite(sqlite3.SQLITE_BUSY)), Trouble.BUSY),
        (caused(OperationalError, of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT)), Trouble.BUSY),
        (caused(OperationalError, psycopg.OperationalError("connection refused")), Trouble.AWAY),
        (caused(InterfaceError, psycopg.InterfaceError("the connection is closed")), Trouble.AWAY),
        (caused(OperationalError, psycopg.errors.AdminShutdown()), Trouble.AWAY),
        (caused(OperationalError, psycopg.errors.ConnectionFailure()), Trouble.AWAY),
        (caused(InternalError, psycopg.errors.IdleInTransactionSessionTimeout()), Trouble.AWAY),
        (caused(OperationalError, of_sqlite(sqlite3.SQLITE_ERROR)), None),
        (caused(OperationalError, psycopg.errors.DiskFull()), None),
        (caused(InternalError, None), None),
        (ZeroDivisionError(), None),
        (None, None),
    ],
)
def test_only_what_passes_by_itself_is_trouble(exc: Exception | None, trouble: Trouble | None) -> None:
    assert trouble_of(exc) is trouble


def test_a_page_without_its_database_says_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch, track: Track
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("password=hunter2") from psycopg.OperationalError("connection refused")

    monkeypatch.setattr(views, "tracks_for", fail)

    answer = Client(raise_request_exception=False).get(track.get_absolute_url())

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "15")
    assert b"hunter2" not in answer.content
