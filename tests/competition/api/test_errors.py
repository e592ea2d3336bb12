"""Every refusal has one shape, whoever raised it."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions
from rest_framework.test import APIClient

from competition.api.errors import HINTS, STATUS_OF_CODE, Problem, explain_exception
from competition.tracks.models import Track
from scoring.codes import CODES
from scoring.contracts import Finding
from scoring.errors import Rejected, reject


def body_of(exc: Exception) -> dict[str, object]:
    answer = explain_exception(exc, {})
    assert answer is not None
    return dict(answer.data)


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "authentication_failed"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotFound(), 404, "not_found"),
        (Http404(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.ValidationError({"name": ["bad"]}), 400, "invalid_request"),
        (exceptions.Throttled(wait=3), 429, "throttled"),
        (RequestDataTooBig(), 413, "body_too_large"),
        (SuspiciousOperation(), 400, "parse_error"),
        (reject("empty_upload"), 400, "empty_upload"),
        (reject("upload_too_large", allowed_bytes=5), 413, "upload_too_large"),
        (reject("track_not_open", track="T", why="closed"), 403, "track_not_open"),
        (
            reject("already_submitted", submission="abc", uploaded_at="yesterday", status="scored"),
            409,
            "already_submitted",
        ),
        (reject("missing_file", expected="model.py"), 422, "missing_file"),
    ],
)
def test_a_refusal_has_its_status_and_code_and_the_four_fields(
    exc: Exception, status: int, code: str
) -> None:
    answer = explain_exception(exc, {})

    assert answer is not None
    assert answer.status_code == status
    assert answer.data["code"] == code
    assert set(answer.data) >= {"code", "message", "hint", "findings"}
    assert answer.data["message"]
    assert answer.data["hint"]


def test_a_defect_of_ours_is_left_to_the_server() -> None:
    assert explain_exception(ZeroDivisionError(), {}) is None


def test_every_code_with_a_status_is_in_the_table_of_codes() -> None:
    assert set(STATUS_OF_CODE) <= set(CODES)


def test_no_hint_of_the_api_replaces_one_of_the_table_of_codes() -> None:
    assert set(HINTS).isdisjoint(CODES)


def test_a_waiting_time_is_rounded_up_so_that_waiting_it_suffices() -> None:
    answer = explain_exception(exceptions.Throttled(wait=2.1), {})

    assert answer is not None
    assert answer["Retry-After"] == "3"
    assert answer.data["retry_after_s"] == 3


def test_all_findings_of_a_rejection_are_sent_the_gravest_first() -> None:
    rejected = Rejected(
        Finding(code="missing_file", facts={"expected": "model.py"}),
        Finding(code="corrupt_archive", path="a", facts={"why": "torn"}),
    )

    body = body_of(rejected)

    assert body["code"] == "missing_file"
    assert [(f["code"], f["path"]) for f in body["findings"]] == [
        ("missing_file", ""),
        ("corrupt_archive", "a"),
    ]  # type: ignore[attr-defined]


def test_validation_errors_name_each_field_by_its_place() -> None:
    detail = {
        "name": ["too long"],
        "input": {"shape": [{}, {"size": ["no number"]}]},
        "non_field_errors": ["odd"],
    }

    body = body_of(exceptions.ValidationError(detail))

    places = {(f["path"], f["message"]) for f in body["findings"]}  # type: ignore[attr-defined]
    assert places == {("name", "too long"), ("input.shape.1.size", "no number"), ("", "odd")}


def test_a_problem_keeps_what_helps_a_program_to_go_on() -> None:
    body = body_of(
        Problem(status=409, code="already_submitted", message="m", extra={"submission": {"id": "x"}})
    )

    assert body["submission"] == {"id": "x"}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_an_unknown_address_is_not_found_by_any_method(anonymous: APIClient, method: str) -> None:
    answer = getattr(anonymous, method)("/api/nothing/")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"


@pytest.mark.django_db
def test_a_wrong_token_is_a_401_that_says_how_to_get_one() -> None:
    answer = APIClient(HTTP_AUTHORIZATION="Token wrong").get("/api/submissions/")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"
    assert answer.json()["code"] == "authentication_failed"


@pytest.mark.django_db
def test_broken_json_is_refused(anonymous: APIClient) -> None:
    answer = anonymous.generic("POST", "/api/token/", b"{", content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"


def test_a_session_without_the_token_of_its_page_is_refused(alice: User, track: Track) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)

    answer = client.post(f"/api/tracks/{track.slug}/submissions/")

    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_denied"


def test_a_caller_who_asks_too_often_is_told_when_to_come_back(
    caller_of: Callable[[User], APIClient], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rest_framework.throttling.UserRateThrottle.rate", "1/min", raising=False)
    caller = caller_of(alice)
    caller.get("/api/submissions/")

    answer = caller.get("/api/submissions/")

    assert answer.status_code == 429
    assert answer.json()["code"] == "throttled"
    assert 0 < int(answer["Retry-After"]) <= 60
