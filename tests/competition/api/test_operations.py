"""Operations in the API: what operators see, and what they and organisers do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from competition.admin.organisers import organisers
from competition.clock import database_now
from competition.submissions import workers
from competition.submissions.models import Evaluation, Worker
from competition.submissions.workers import Sign
from competition.tracks.models import Track
from scoring.contracts import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_operator(caller_of: Callable[[User], APIClient]) -> APIClient:
    return caller_of(User.objects.create_superuser("root"))


@pytest.fixture
def as_organiser(caller_of: Callable[[User], APIClient], staff: User) -> APIClient:
    staff.groups.add(organisers())
    return caller_of(staff)


@pytest.fixture
def worker() -> Worker:
    now = database_now()
    workers.show(Sign(name="a:1", machine="a", version="0.0.1", started_at=now, queues=("cpu",)), now=now)
    return Worker.objects.get()


def test_an_operator_drains_and_resumes_a_worker(as_operator: APIClient, worker: Worker) -> None:
    drained = as_operator.post(f"/api/operations/workers/{worker.pk}/drain/").json()
    resumed = as_operator.post(f"/api/operations/workers/{worker.pk}/resume/").json()

    assert (drained["workers"][0]["state"], resumed["workers"][0]["state"]) == ("drained", "serving")
    assert drained["workers"][0]["is_other_version"]


def test_the_overview_tells_queues_and_what_is_held_up(
    as_operator: APIClient, evaluation: Evaluation, worker: Worker
) -> None:
    before = as_operator.get("/api/operations/").json()
    as_operator.post(f"/api/submissions/{evaluation.submission_id}/quarantine/", {"reason": "It harms."})

    after = as_operator.get("/api/operations/").json()

    assert [(row["track"], row["queue"], row["fresh"]) for row in before["queues"]] == [
        ("track-one", "cpu", 1)
    ]
    assert after["queues"] == []
    assert [row["reason"] for row in after["quarantined"]] == ["It harms."]


def test_an_organiser_pauses_and_resumes_a_track(
    as_organiser: APIClient, as_alice: APIClient, evaluation: Evaluation
) -> None:
    address = f"/api/submissions/{evaluation.submission_id}/"
    paused = as_organiser.post("/api/tracks/track-one/pause/")
    again = as_organiser.post("/api/tracks/track-one/pause/")
    meanwhile = as_alice.get(address).json()

    resumed = as_organiser.post("/api/tracks/track-one/resume/").json()

    assert paused.json()["paused_at"] == again.json()["paused_at"] == meanwhile["paused_at"] != None  # noqa: E711
    assert meanwhile["position"] == 1
    assert (resumed["paused_at"], as_alice.get(address).json()["paused_at"]) == (None, None)


def test_the_participant_is_told_why_a_submission_is_in_quarantine(
    as_organiser: APIClient, as_alice: APIClient, evaluation: Evaluation
) -> None:
    address = f"/api/submissions/{evaluation.submission_id}/"
    as_organiser.post(f"{address}quarantine/", {"reason": "It harms."})
    told = as_alice.get(address).json()

    released = as_organiser.post(f"{address}release/").json()

    assert (told["quarantined_because"], told["position"]) == ("It harms.", None)
    assert (released["quarantined_because"], released["position"]) == (None, 1)


def test_a_quarantine_needs_a_reason(as_organiser: APIClient, evaluation: Evaluation) -> None:
    answer = as_organiser.post(f"/api/submissions/{evaluation.submission_id}/quarantine/", {})

    assert (answer.status_code, answer.json()["findings"][0]["path"]) == (400, "reason")


def test_only_what_failed_is_retried(as_organiser: APIClient, evaluation: Evaluation) -> None:
    address = f"/api/submissions/{evaluation.submission_id}/retry/"
    refused = as_organiser.post(address)
    Evaluation.objects.update(status=Status.FAILED, finished_at=database_now())

    retried = as_organiser.post(address)

    assert (refused.status_code, refused.json()["code"]) == (409, "not_failed")
    assert (retried.status_code, retried.json()["status"]) == (200, "queued")


def test_what_was_never_evaluated_has_not_failed(as_organiser: APIClient, track: Track, evaluation) -> None:
    submission = evaluation.submission
    evaluation.delete()

    assert as_organiser.post(f"/api/submissions/{submission.pk}/retry/").status_code == 409
