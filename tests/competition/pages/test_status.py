"""The status page: who works, who rests and why, and what nobody serves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from competition.submissions.models import Evaluation, Worker
from competition.submissions.workers import Sign, show

pytestmark = pytest.mark.django_db

SIGN = Sign(name="gpu-box:17", machine="gpu-box", version="9.9.9", queues=("cpu",))


def page(client: Client) -> str:
    answer = client.get("/status/")
    assert answer.status_code == 200
    return answer.content.decode()


def show_now(sign: Sign, *, ago: timedelta = timedelta(0)) -> None:
    now = timezone.now() - ago
    show(replace(sign, started_at=now), now=now)


def test_a_queue_that_nobody_serves_is_named_with_when_it_was_served_last(
    evaluation: Evaluation, client: Client
) -> None:
    assert "has been seen yet" in page(client)
    show_now(SIGN, ago=timedelta(hours=3))
    seen_at = Worker.objects.get().seen_at

    assert "No worker for <code>cpu</code> since" in page(client)
    assert f'datetime="{seen_at.isoformat(timespec="seconds")}"' in page(client)


def test_a_queue_that_somebody_serves_is_no_news(evaluation: Evaluation, client: Client) -> None:
    show_now(SIGN)

    assert "No worker" not in page(client)


def test_a_worker_that_rests_says_why_since_when_and_until_when(client: Client) -> None:
    now = timezone.now()
    resting = replace(
        SIGN,
        state=Worker.State.RESTING,
        rest_cause="disk",
        rests_since=now,
        next_try_at=now + timedelta(seconds=20),
    )
    show_now(resting)

    words = page(client)

    assert "resting: disk trouble since" in words
    assert "next try" in words


@pytest.mark.parametrize(
    ("ahead_s", "words"), [(300.0, "300 s ahead"), (-300.0, "300 s behind"), (0.2, "right"), (None, "–")]
)
def test_operators_see_machine_version_disk_and_clock(
    admin_client: Client, ahead_s: float | None, words: str
) -> None:
    show_now(replace(SIGN, free_bytes=3 * 2**30, clock_ahead_s=ahead_s))

    shown = page(admin_client)

    assert [word for word in ("gpu-box:17", "9.9.9", "3.0\xa0GB", words) if word not in shown] == []


def test_others_do_not_see_machines(client: Client, alice: User) -> None:
    show_now(SIGN)
    client.force_login(alice)

    assert [word for word in ("gpu-box", "9.9.9") if word in page(client)] == []
