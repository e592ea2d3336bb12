"""Submissions in the API: upload, follow, report, cancel."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Track
from scoring.contracts import Stage, Status
from scoring.errors import reject
from tests.examples import scored_report, tried_before

MakeEvaluation = Callable[..., Evaluation]


def upload(
    caller: APIClient, track: Track, content: bytes = b"an entry", *, forged: dict[str, str] | None = None
) -> Any:
    entry = SimpleUploadedFile("net.zip", content)
    return caller.post(f"/api/tracks/{track.slug}/submissions/", {"entry": entry, **(forged or {})})


def show(caller: APIClient, evaluation: Evaluation, what: str = "") -> dict[str, Any]:
    return dict(caller.get(f"/api/submissions/{evaluation.submission_id}/{what}").json())


def claimed(evaluation: Evaluation, now: datetime) -> lifecycle.Lease:
    lease = lifecycle.claim(evaluation.pk, owner="worker", now=now)
    assert lease is not None
    return lease


# --- upload ----------------------------------------------------------------------------------------


def test_an_upload_becomes_a_queued_submission(as_alice: APIClient, alice: User, track: Track) -> None:
    answer = upload(as_alice, track)

    body = answer.json()
    stored = Submission.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == body["urls"]["api"] == f"http://testserver/api/submissions/{stored.id}/"
    assert (body["status"], body["stage"], body["position"], body["is_final"]) == ("queued", "", 1, False)
    assert body["sha256"] == hashlib.sha256(b"an entry").hexdigest()
    assert body["quota"]["used"] == 1
    assert stored.participant == alice
    with stored.entry.open() as file:
        assert file.read() == b"an entry"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "scored"},
        {"score": "1.0", "value": "1.0", "scores": '{"accuracy": 1}'},
        {"participant": "bob", "participant_id": "2", "user": "2"},
        {"track": "another", "benchmark": "1", "priority": "-5", "created_at": "2000-01-01T00:00:00Z"},
        {"id": str(uuid4()), "sha256": "0" * 64, "entry_name": "forged", "entry_bytes": "1"},
    ],
)
def test_what_belongs_to_the_server_is_not_taken_from_the_caller(
    as_alice: APIClient, alice: User, bob: User, track: Track, fields: dict[str, str]
) -> None:
    honest = upload(as_alice, track, b"honest").json()

    forged = upload(as_alice, track, b"forged", forged=fields).json()

    stored = Submission.objects.get(pk=forged["id"])
    evaluation = stored.evaluations.get()
    assert (stored.participant, stored.track, stored.entry_name) == (alice, track, "net.zip")
    assert (evaluation.status, evaluation.priority, evaluation.scores.count()) == (Status.QUEUED, 0, 0)
    assert stored.sha256 == hashlib.sha256(b"forged").hexdigest()
    assert forged["created_at"] >= honest["created_at"]
    assert forged["id"] not in fields.values()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_submission_cannot_be_changed(as_alice: APIClient, evaluation: Evaluation, method: str) -> None:
    address = f"/api/submissions/{evaluation.submission_id}/"

    answer = getattr(as_alice, method)(address, {"status": "scored"}, format="json")

    assert answer.status_code == 405


def test_sending_the_same_file_again_names_the_first_submission(as_alice: APIClient, track: Track) -> None:
    first = upload(as_alice, track).json()

    answer = upload(as_alice, track)

    assert answer.status_code == 409
    assert answer.json()["code"] == "already_submitted"
    assert answer.json()["submission"] == {
        "id": first["id"],
        "url": first["urls"]["api"],
        "page": first["urls"]["page"],
        "created_at": first["created_at"],
        "status": "queued",
    }
    assert Submission.objects.count() == 1


def test_the_same_file_from_somebody_else_is_a_submission_of_their_own(
    as_alice: APIClient, as_bob: APIClient, track: Track
) -> None:
    upload(as_alice, track)

    assert upload(as_bob, track).status_code == 201


def test_a_retry_of_the_upload_that_took_the_last_slot_names_that_submission(
    as_alice: APIClient, make_track: Callable[..., Track]
) -> None:
    track = make_track("t", quota_submissions=1)
    first = upload(as_alice, track).json()

    answer = upload(as_alice, track)

    assert answer.status_code == 409
    assert answer.json()["submission"]["id"] == first["id"]


def test_a_used_up_quota_says_when_the_next_slot_opens(
    as_alice: APIClient, make_track: Callable[..., Track], alice: User, make_evaluation: MakeEvaluation
) -> None:
    track = make_track("t", quota_submissions=1, quota_window_hours=2)
    earlier = timezone.now() - timedelta(hours=1)
    make_evaluation(alice, track, at=earlier)

    answer = upload(as_alice, track)

    assert answer.status_code == 429
    assert answer.json()["code"] == "quota_used_up"
    assert datetime.fromisoformat(answer.json()["next_slot_at"]) == earlier + timedelta(hours=2)
    assert 3590 <= int(answer["Retry-After"]) <= 3600


def test_a_used_up_quota_refuses_a_large_upload_before_its_body_is_read(
    as_alice: APIClient, make_track: Callable[..., Track], alice: User, make_evaluation: MakeEvaluation
) -> None:
    track = make_track("t", quota_submissions=1)
    make_evaluation(alice, track, at=timezone.now())

    answer = announce(as_alice, track, n_bytes=1_000_000)

    assert answer.status_code == 429
    assert answer.json()["code"] == "quota_used_up"


def test_a_closed_track_refuses_before_the_body_is_read(
    as_alice: APIClient, make_track: Callable[..., Track]
) -> None:
    track = make_track("t", closes_at=timezone.now() - timedelta(hours=1))

    assert announce(as_alice, track, n_bytes=1_000_000).json()["code"] == "track_not_open"


def announce(client: APIClient, track: Track, *, n_bytes: int) -> Any:
    """Send an upload's headers and fail if its body is read."""
    return client.generic(
        "POST",
        f"/api/tracks/{track.slug}/submissions/",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(n_bytes),
        **{"wsgi.input": Unread()},
    )


class Unread:
    """A body that nobody may read."""

    def read(self, *_: object) -> bytes:
        pytest.fail("the body is read")

    readline = read


def test_a_closed_track_takes_nothing(as_alice: APIClient, make_track: Callable[..., Track]) -> None:
    track = make_track("t", closes_at=timezone.now() - timedelta(hours=1))

    answer = upload(as_alice, track)

    assert answer.status_code == 403
    assert answer.json()["code"] == "track_not_open"


def test_a_hidden_track_is_not_found(as_alice: APIClient, track: Track) -> None:
    Track.objects.update(is_open=False)

    assert upload(as_alice, track).status_code == 404


def test_an_empty_file_is_refused(as_alice: APIClient, track: Track) -> None:
    answer = upload(as_alice, track, b"")

    assert answer.status_code == 400
    assert answer.json()["code"] == "empty_upload"


def test_a_form_without_the_file_is_refused(as_alice: APIClient, track: Track) -> None:
    answer = as_alice.post(f"/api/tracks/{track.slug}/submissions/", {"entry": "text"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "empty_upload"


def test_a_body_that_is_no_form_is_refused(as_alice: APIClient, track: Track) -> None:
    answer = as_alice.post(f"/api/tracks/{track.slug}/submissions/", {"entry": "x"}, format="json")

    assert answer.status_code == 415


def test_a_file_over_the_tracks_limit_is_refused(
    as_alice: APIClient, make_track: Callable[..., Track]
) -> None:
    track = make_track("t", archive_limits__max_entry_bytes=4)

    answer = upload(as_alice, track, b"12345")

    assert answer.status_code == 413
    assert answer.json()["code"] == "upload_too_large"
    assert upload(as_alice, track, b"1234").status_code == 201


class _UnreadableBody:
    """A body that must not be touched."""

    def read(self, *_: int) -> bytes:
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize("signs_in", ["token", "session"])
def test_an_announced_length_over_the_limit_is_refused_without_reading(
    as_alice: APIClient, alice: User, track: Track, settings: Settings, signs_in: str
) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    caller = as_alice if signs_in == "token" else APIClient(enforce_csrf_checks=True)
    if signs_in == "session":
        caller.force_login(alice)

    answer = caller.generic(
        "POST",
        f"/api/tracks/{track.slug}/submissions/",
        content_type="multipart/form-data; boundary=b",
        **{"CONTENT_LENGTH": str(10**9), "wsgi.input": _UnreadableBody()},
    )

    assert answer.status_code == 413
    assert answer.json()["code"] == "upload_too_large"


def test_an_upload_without_a_length_is_refused(as_alice: APIClient, track: Track) -> None:
    answer = as_alice.post(f"/api/tracks/{track.slug}/submissions/", HTTP_TRANSFER_ENCODING="chunked")

    assert answer.status_code == 411
    assert answer.json()["code"] == "length_required"


def test_a_refused_upload_leaves_no_file_behind(
    as_alice: APIClient, make_track: Callable[..., Track], settings: Settings
) -> None:
    upload(as_alice, make_track("t", archive_limits__max_entry_bytes=4), b"12345")

    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


# --- following -------------------------------------------------------------------------------------


def test_a_running_submission_shows_its_stage(
    as_alice: APIClient, evaluation: Evaluation, now: datetime
) -> None:
    lease = claimed(evaluation, now)
    lifecycle.note_stage(lease, Stage.MEASURE, now=now)

    body = show(as_alice, evaluation)

    assert (body["status"], body["stage"], body["position"]) == ("running", "measure", None)


def test_a_rejected_submission_shows_code_message_and_hint(
    as_alice: APIClient, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.record_rejected(claimed(evaluation, now), reject("missing_file", expected="model.py"), now=now)

    body = show(as_alice, evaluation)

    assert (body["status"], body["code"], body["is_final"]) == ("rejected", "missing_file", True)
    assert "model.py" in body["message"]
    assert body["hint"]


def test_a_failed_submission_names_only_a_reference(
    as_alice: APIClient, evaluation: Evaluation, now: datetime, settings: Settings
) -> None:
    tried_before(evaluation, at=now)
    lifecycle.record_fault(claimed(evaluation, now), reference="ab12cd34", detail="/secret/path", now=now)

    body = show(as_alice, evaluation)
    report = show(as_alice, evaluation, "report/")

    assert (body["status"], body["reference"]) == ("failed", "ab12cd34")
    assert "/secret/path" not in str(body) + str(report)


def test_a_report_of_a_scored_submission_holds_scores_but_no_private_ones(
    as_alice: APIClient, as_staff: APIClient, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.record_scored(
        claimed(evaluation, now), scored_report(0.5, private=0.25), now=now, place=standings.place
    )

    own = show(as_alice, evaluation, "report/")
    seen_by_staff = show(as_staff, evaluation, "report/")

    assert own["verdict"] == "scored"
    assert own["scores"]["accuracy"]["value"] == 0.5
    assert own["private_scores"] == {}
    assert seen_by_staff["private_scores"]["accuracy"]["value"] == 0.25


def test_one_sees_only_ones_own_submissions(
    as_alice: APIClient,
    as_staff: APIClient,
    make_evaluation: MakeEvaluation,
    alice: User,
    bob: User,
    track: Track,
) -> None:
    own = make_evaluation(alice, track)
    make_evaluation(bob, track)

    listed = as_alice.get("/api/submissions/").json()["results"]

    assert [row["id"] for row in listed] == [str(own.submission_id)]
    assert as_staff.get("/api/submissions/").json()["count"] == 0


def test_submissions_are_filtered_by_track_and_by_newest_status(
    as_alice: APIClient,
    make_evaluation: MakeEvaluation,
    make_track: Callable[..., Track],
    alice: User,
    now: datetime,
) -> None:
    one, two = make_track("one"), make_track("two")
    make_evaluation(alice, one)
    running = make_evaluation(alice, two)
    make_evaluation(alice, two)
    claimed(running, now)

    by_track = as_alice.get("/api/submissions/?track=two").json()["results"]
    by_both = as_alice.get("/api/submissions/?track=two&status=running").json()["results"]

    assert [row["track"] for row in by_track] == ["two", "two"]
    assert [row["id"] for row in by_both] == [str(running.submission_id)]


def test_an_unknown_status_is_refused(as_alice: APIClient) -> None:
    assert as_alice.get("/api/submissions/?status=happy").json()["code"] == "invalid_request"


def test_a_list_takes_as_many_queries_for_many_submissions_as_for_one(
    as_alice: APIClient,
    make_evaluation: MakeEvaluation,
    alice: User,
    track: Track,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(6):
        make_evaluation(alice, track)

    with django_assert_max_num_queries(6):  # the token and its use, the count, the page, evaluations, scores
        as_alice.get("/api/submissions/")


def test_an_id_that_does_not_exist_is_not_found(as_alice: APIClient) -> None:
    assert as_alice.get(f"/api/submissions/{uuid4()}/").json()["code"] == "not_found"


# --- cancelling ------------------------------------------------------------------------------------


def test_a_waiting_submission_is_cancelled_at_once(as_alice: APIClient, evaluation: Evaluation) -> None:
    body = as_alice.post(f"/api/submissions/{evaluation.submission_id}/cancel/").json()

    assert (body["status"], body["is_final"], body["quota"]["used"]) == ("cancelled", True, 0)


def test_a_running_submission_is_asked_to_stop(as_alice: APIClient, evaluation: Evaluation) -> None:
    claimed(evaluation, timezone.now())

    body = as_alice.post(f"/api/submissions/{evaluation.submission_id}/cancel/").json()

    assert (body["status"], body["cancel_requested"]) == ("running", True)


def test_cancelling_twice_is_no_error(as_alice: APIClient, evaluation: Evaluation) -> None:
    as_alice.post(f"/api/submissions/{evaluation.submission_id}/cancel/")

    assert as_alice.post(f"/api/submissions/{evaluation.submission_id}/cancel/").status_code == 200


def test_an_ended_submission_cannot_be_cancelled(
    as_alice: APIClient, evaluation: Evaluation, now: datetime
) -> None:
    lifecycle.record_scored(claimed(evaluation, now), scored_report(), now=now, place=standings.place)

    answer = as_alice.post(f"/api/submissions/{evaluation.submission_id}/cancel/")

    assert answer.status_code == 409
    assert answer.json()["code"] == "already_finished"


def test_somebody_elses_submission_is_not_cancelled(as_bob: APIClient, evaluation: Evaluation) -> None:
    as_bob.post(f"/api/submissions/{evaluation.submission_id}/cancel/")

    evaluation.refresh_from_db()
    assert evaluation.status == Status.QUEUED
