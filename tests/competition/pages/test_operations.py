"""The operations page and its acts: confirmed or undone in one step, told to participants."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from competition.admin.organisers import organisers
from competition.audit.models import AuditRecord
from competition.clock import database_now
from competition.submissions import operating, workers
from competition.submissions.models import Evaluation, Quarantine, Worker
from competition.submissions.workers import Sign
from competition.tracks.models import Track
from scoring.contracts import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker() -> Worker:
    now = database_now()
    sign = Sign(name="gpu-box:17", machine="gpu-box", version="0.0.1", started_at=now, queues=("cpu",))
    workers.show(sign, now=now)
    return Worker.objects.get()


@pytest.fixture
def as_alice(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def as_organiser(staff: User) -> Client:
    staff.groups.add(organisers())
    client = Client()
    client.force_login(staff)
    return client


def page(client: Client, address: str = "/operations/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def failed(evaluation: Evaluation) -> Evaluation:
    Evaluation.objects.filter(pk=evaluation.pk).update(
        status=Status.FAILED, finished_at=database_now(), reference="F4117ED"
    )
    return evaluation


def test_superusers_are_led_there_from_every_page_and_from_status(
    admin_client: Client, as_organiser: Client
) -> None:
    link = f'href="{reverse("operations")}"'

    assert page(admin_client, "/").count(link) == 1
    assert page(admin_client, "/status/").count(link) == 2
    assert link not in page(as_organiser, "/status/")


def test_the_page_shows_workers_and_marks_another_version(admin_client: Client, worker: Worker) -> None:
    shown = page(admin_client)

    assert [word for word in ("gpu-box:17", "0.0.1", "not the site", "serving") if word not in shown] == []


def test_the_live_part_asks_for_itself_again(admin_client: Client, worker: Worker) -> None:
    live = page(admin_client, "/operations/live/")

    assert live.lstrip().startswith('<div id="operations" hx-get="/operations/live/" hx-trigger="every 5s"')
    assert "<html" not in live
    assert '<noscript><meta http-equiv="refresh"' in page(admin_client)


def test_draining_asks_first_and_is_undone_in_one_step(admin_client: Client, worker: Worker) -> None:
    address = reverse("drain-worker", args=[worker.pk])
    assert "ends the evaluation that it works on" in page(admin_client, address)
    assert Worker.objects.get().drain_requested_at is None

    told = admin_client.post(address, follow=True).content.decode()
    drained = page(admin_client)
    admin_client.post(reverse("resume-worker", args=[worker.pk]))

    assert "claims no more" in told
    assert ">drained</span>" in drained
    assert Worker.objects.get().drain_requested_at is None
    assert [row.act for row in AuditRecord.objects.order_by("pk")] == ["worker.drained", "worker.resumed"]


def test_acts_need_a_post(admin_client: Client, worker: Worker, evaluation: Evaluation) -> None:
    addresses = [
        reverse("resume-worker", args=[worker.pk]),
        reverse("resume-track", args=["track-one"]),
        reverse("retry-submission", args=[evaluation.submission_id]),
        reverse("release-submission", args=[evaluation.submission_id]),
    ]

    assert [admin_client.get(address).status_code for address in addresses] == [405] * 4


def test_a_participant_reads_that_the_track_is_paused_and_can_still_upload(
    as_organiser: Client, as_alice: Client, evaluation: Evaluation
) -> None:
    assert "Uploads stay open" in page(as_organiser, "/tracks/track-one/pause/")
    as_organiser.post("/tracks/track-one/pause/")

    shown = page(as_alice, evaluation.submission.get_absolute_url())

    assert "Paused by the organisers since" in shown
    assert "Your place is kept" in shown
    assert "The organisers paused this track." in shown
    assert "Position <strong>1</strong>" in shown
    assert "Paused by the organisers since" in page(as_alice, "/tracks/track-one/")
    assert "Paused by the organisers since" in page(as_alice, "/tracks/track-one/submit/")
    assert "<fieldset>" in page(as_alice, "/tracks/track-one/submit/")


def test_an_organiser_resumes_the_track_from_its_page(as_organiser: Client, track: Track) -> None:
    as_organiser.post("/tracks/track-one/pause/")
    assert 'action="/tracks/track-one/resume/"' in page(as_organiser, "/tracks/track-one/")

    answer = as_organiser.post("/tracks/track-one/resume/")

    assert answer.headers["Location"] == track.get_absolute_url()
    assert Track.objects.get().paused_at is None


def test_quarantine_needs_a_reason_and_the_participant_reads_it(
    as_organiser: Client, as_alice: Client, evaluation: Evaluation
) -> None:
    address = reverse("quarantine-submission", args=[evaluation.submission_id])
    refused = as_organiser.post(address, {"reason": " "})
    assert (refused.status_code, Quarantine.objects.count()) == (422, 0)

    as_organiser.post(address, {"reason": "It <fills> our disks."})
    shown = page(as_alice, evaluation.submission.get_absolute_url())

    assert "It &lt;fills&gt; our disks." in shown
    assert "uses none of your submissions" in shown
    assert "Position" not in shown
    assert "In quarantine. It will not be evaluated" in shown
    assert "in quarantine" in page(as_alice, "/submissions/")


def test_what_is_in_quarantine_is_listed_and_released_there(
    admin_client: Client, evaluation: Evaluation
) -> None:
    operating.quarantine(submission=evaluation.submission, reason="It fills our disks.", by=None)
    assert "It fills our disks." in page(admin_client)

    answer = admin_client.post(
        reverse("release-submission", args=[evaluation.submission_id]), {"from": "operations"}
    )

    assert answer.headers["Location"] == reverse("operations")
    assert not Quarantine.objects.exists()


def test_what_failed_is_listed_and_retried_there(admin_client: Client, evaluation: Evaluation) -> None:
    failed(evaluation)
    assert "F4117ED" in page(admin_client)

    admin_client.post(reverse("retry-submission", args=[evaluation.submission_id]), {"from": "operations"})

    assert Evaluation.objects.get().status == Status.QUEUED
    assert AuditRecord.objects.get().act == "evaluation.queued_again"


def test_what_has_not_failed_is_not_retried(admin_client: Client, evaluation: Evaluation) -> None:
    address = reverse("retry-submission", args=[evaluation.submission_id])

    told = admin_client.post(address, follow=True).content.decode()

    assert "It has not failed. Nothing was changed." in told


def test_the_page_takes_as_many_queries_for_more_workers(admin_client: Client, worker: Worker) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(admin_client)
        return len(captured)

    queries()  # what is asked once and kept
    before = queries()
    for number in range(3):
        Worker.objects.create(
            name=f"more:{number}",
            machine="more",
            version="1",
            started_at=worker.started_at,
            seen_at=worker.seen_at,
        )

    assert queries() == before
