"""Every refusal of the API in one shape: code, message, hint, findings, and what helps to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from competition import uploads
from competition.metrics import UPLOADS_REFUSED
from scoring.errors import Rejected, RenderedFinding, render_all

STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "track_not_open": status.HTTP_403_FORBIDDEN,
    "participant_disqualified": status.HTTP_403_FORBIDDEN,
    "quota_used_up": status.HTTP_429_TOO_MANY_REQUESTS,
    "already_submitted": status.HTTP_409_CONFLICT,
    "upload_too_large": status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "empty_upload": status.HTTP_400_BAD_REQUEST,
    **uploads.STATUSES,
}
HINTS: Final[Mapping[str, str]] = {
    "invalid_request": "Correct the fields listed in “findings” and send the request again.",
    "parse_error": "Send a body that matches its Content-Type.",
    "not_authenticated": "Send the header “Authorization: Token …”. Get a token from POST /api/token/.",
    "authentication_failed": "Get a new token from POST /api/token/, or create one on your account page.",
    "permission_denied": "Sign in with an account that has this permission.",
    "not_found": "Check the address. You cannot see what belongs to other participants.",
    "method_not_allowed": "The header “Allow” lists the methods that this address accepts.",
    "not_acceptable": "The API answers in JSON. Leave out the header “Accept” or send application/json.",
    "unsupported_media_type": "Send JSON, or multipart/form-data with the field “entry” to upload an entry.",
    "throttled": "Wait for as long as the header “Retry-After” says.",
    "server_error": "Try again in a moment. If it happens again, give the organisers the reference.",
    "busy": "Wait a few seconds, then send the request again; that is safe.",
    "database_away": "Wait a moment, then send the request again; that is safe.",
    "store_away": "Wait a moment, then send the request again; that is safe.",
    "body_too_large": "Send less data in one request.",
}


class Problem(Exception):
    """An error ready to be sent; `extra` adds fields to the four that every error has."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        hint: str = "",
        findings: Sequence[RenderedFinding] = (),
        extra: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, object] = {
            "code": code,
            "message": message,
            "hint": hint or HINTS.get(code, ""),
            "findings": [vars(finding) for finding in findings],
            **(extra or {}),
        }
        super().__init__(code)


def problem_of_rejected(
    rejected: Rejected, *, extra: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
) -> Problem:
    """Return a Rejected of scoring or of a service as the API sends it."""
    findings = render_all(rejected.findings)
    gravest = findings[0]
    UPLOADS_REFUSED.labels(code=rejected.code).inc()
    return Problem(
        status=STATUS_OF_CODE.get(rejected.code, status.HTTP_422_UNPROCESSABLE_ENTITY),
        code=gravest.code,
        message=gravest.message,
        hint=gravest.hint,
        findings=findings,
        extra=extra,
        headers={**uploads.refusal_headers(rejected), **(headers or {})},
    )


def explain_exception(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer in the one shape; None for what is a defect of ours, which Django then logs as a 500."""
    problem = _problem_of(exc)
    if problem is None:
        return None
    set_rollback()
    return Response(problem.body, status=problem.status, headers=problem.headers)


def _problem_of(exc: Exception) -> Problem | None:
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, Rejected):
        return problem_of_rejected(exc)
    if isinstance(exc, Http404):
        return _problem_of_drf(exceptions.NotFound())
    if isinstance(exc, PermissionDenied):
        return _problem_of_drf(exceptions.PermissionDenied())
    if isinstance(exc, RequestDataTooBig):
        return Problem(status=413, code="body_too_large", message="The request's fields are too large.")
    if isinstance(exc, SuspiciousOperation):
        return Problem(status=400, code="parse_error", message="The request is malformed.")
    if isinstance(exc, exceptions.APIException):
        return _problem_of_drf(exc)
    return None


def _problem_of_drf(exc: exceptions.APIException) -> Problem:
    if isinstance(exc, exceptions.ValidationError):
        return _problem_of_validation(exc)
    return Problem(
        status=exc.status_code,
        code=_code_of(exc),
        message=str(exc.detail),
        extra=_extra_of(exc),
        headers=_headers_of(exc),
    )


def _problem_of_validation(exc: exceptions.ValidationError) -> Problem:
    findings = tuple(_findings(exc.detail))
    return Problem(
        status=exc.status_code,
        code="invalid_request",
        message="; ".join(f"{f.path}: {f.message}" if f.path else f.message for f in findings),
        findings=findings,
    )


def _findings(detail: Any, path: str = "") -> Iterator[RenderedFinding]:
    """Flatten DRF's nested errors; a field's place is written `a.b.0`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _findings(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            deeper = isinstance(inner, Mapping | list | tuple)
            yield from _findings(inner, f"{path}.{index}".lstrip(".") if deeper else path)
    else:
        yield RenderedFinding(code="invalid_field", path=path, message=str(detail), hint="")


def _code_of(exc: exceptions.APIException) -> str:
    codes = exc.get_codes()
    return codes if isinstance(codes, str) else exc.default_code


def _extra_of(exc: exceptions.APIException) -> dict[str, object]:
    wait_s = getattr(exc, "wait", None)
    return {} if wait_s is None else {"retry_after_s": _whole(wait_s)}


def _headers_of(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header  # type: ignore[attr-defined]  # set by APIView.handle_exception
    if getattr(exc, "wait", None) is not None:
        headers["Retry-After"] = str(_whole(exc.wait))  # type: ignore[attr-defined]  # only Throttled has it
    return headers


def _whole(seconds: float) -> int:
    """Return whole seconds, rounded up, so that a client that waits this long is let in."""
    return -int(-seconds // 1)
