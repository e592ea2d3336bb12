"""Time comes from the database: a machine whose own clock is wrong neither loses nor takes anything."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from competition.clock import clock_ahead_s, database_now
from competition.submissions import quotas, services
from competition.submissions.models import Evaluation, Submission
from competition.submissions.places import place_of
from competition.tracks.models import Track
from scoring.contracts import Status
from scoring.sandbox.fake import FakeSandbox
from scoring.worker.site import SitePorts
from scoring.worker.sweep import sweep
from tests.examples import rewrite, set_fields

pytestmark = pytest.mark.django_db

MINUTES = (-5, 5)


@contextmanager
def wrong_clock(minutes: int) -> Iterator[None]:
    """Let this process's clock be wrong, as Django and all of Podium read it."""
    right = timezone.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: right() + timedelta(minutes=minutes))
        yield


@pytest.fixture
def ports(settings: Settings) -> SitePorts:
    settings.LEASE_S = 60.0
    return SitePorts(owner="w", queue="cpu", sandbox=FakeSandbox(scripts={}), cache=Path(settings.CACHE_DIR))


def uploaded(user: User, track: Track, content: bytes = b"PK") -> Submission:
    upload = ContentFile(content, name="entry.zip")
    return services.accept_submission(participant=user, track=track, upload=upload, name="entry.zip")


def test_the_database_s_time_is_aware_and_passes_within_a_transaction() -> None:
    with transaction.atomic():
        first, second = database_now(), database_now()

    assert first.tzinfo is not None
    assert first < second or connection.vendor == "sqlite"
    assert abs(first - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("minutes", MINUTES)
def test_the_difference_is_this_machine_s(minutes: int) -> None:
    with wrong_clock(minutes):
        assert clock_ahead_s() == pytest.approx(60 * minutes, abs=30)


@pytest.mark.parametrize("minutes", MINUTES)
def test_a_site_with_a_wrong_clock_queues_what_a_worker_claims(
    alice: User, track: Track, ports: SitePorts, minutes: int
) -> None:
    with wrong_clock(minutes):
        submission = uploaded(alice, track)

    assert ports.claim() is not None
    assert abs(submission.created_at - database_now()) < timedelta(minutes=1)


@pytest.mark.parametrize("minutes", MINUTES)
def test_a_worker_with_a_wrong_clock_claims_what_waits(
    alice: User, track: Track, ports: SitePorts, minutes: int
) -> None:
    submission = uploaded(alice, track)

    with wrong_clock(minutes):
        work = ports.claim()

    assert work is not None
    assert work.submission == str(submission.pk)


@pytest.mark.parametrize("minutes", MINUTES)
def test_neither_a_worker_nor_a_sweep_with_a_wrong_clock_takes_a_live_lease(
    alice: User, bob: User, track: Track, ports: SitePorts, minutes: int
) -> None:
    submission = uploaded(alice, track)
    ports.claim()

    with wrong_clock(minutes):
        sweep(database_now())
        assert ports.claim() is None

    evaluation = submission.evaluations.get()
    assert (evaluation.status, evaluation.fence) == (Status.RUNNING, 1)


@pytest.mark.parametrize("minutes", MINUTES)
def test_a_lease_lasts_as_long_under_a_wrong_clock(
    evaluation: Evaluation, ports: SitePorts, minutes: int
) -> None:
    with wrong_clock(minutes):
        work = ports.claim()
        assert work is not None
        ports.renew(work)

    evaluation.refresh_from_db()
    assert evaluation.lease_expires_at is not None
    left_s = (evaluation.lease_expires_at - database_now()).total_seconds()
    assert left_s == pytest.approx(60, abs=30)


@pytest.mark.parametrize("minutes", MINUTES)
def test_a_quota_window_and_a_closing_date_are_the_database_s(
    alice: User, track: Track, client: Client, minutes: int
) -> None:
    now = database_now()
    set_fields(track, opens_at=now - timedelta(minutes=2), closes_at=now + timedelta(minutes=2))
    rewrite(track, quota_window_hours=1)
    Submission.objects.create(
        track=track,
        participant=alice,
        entry="entries/x",
        entry_bytes=1,
        sha256="0" * 64,
        created_at=now - timedelta(minutes=58),
    ).evaluations.create(benchmark=track.benchmark)

    with wrong_clock(minutes):
        assert client.get("/api/tracks/?is_taking_submissions=true").json()["count"] == 1
        assert quotas.slots(participant=alice, track=track, now=database_now()).used == 1
        uploaded(alice, track)


@pytest.mark.parametrize("minutes", MINUTES)
def test_the_order_of_uploads_is_theirs_whichever_site_took_them(
    make_user: Callable[[str], User], track: Track, minutes: int
) -> None:
    with wrong_clock(minutes):
        first = uploaded(make_user("first"), track, b"1")
    second = uploaded(make_user("second"), track, b"2")

    places = [place_of(submission.evaluations.get()).number for submission in (first, second)]
    assert places == [1, 2]
