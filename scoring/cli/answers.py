"""What a site answers, read with care: a document, a refusal, or nothing that a Podium site would say."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from scoring.errors import Fault, PodiumError

LONGEST_WAIT_S: Final = 120.0
PASSING: Final = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


class Unreachable(Fault):
    """The site did not answer, failed, or answered not as a Podium site does."""


class Passing(Unreachable):
    """The site does not answer, or takes nothing, for the moment; `wait_s` is how long it asks to wait, if it does."""

    def __init__(self, message: str, *, wait_s: float | None = None) -> None:
        self.wait_s = wait_s
        super().__init__(message)


class Refused(PodiumError):
    """The site refused a request; `body` is its answer: code, message, hint, findings."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.body = dict(body)
        self.code = str(body.get("code", ""))
        super().__init__(self.code)


def wait_of(response: httpx.Response, attempt: int) -> float | None:
    """Return how long to wait before asking again; None when the answer is the answer."""
    told_s = told_wait_of(response)
    if response.status_code in PASSING:
        wait_s = told_s if told_s is not None else 2.0 ** (attempt - 1)
    elif (
        response.status_code == HTTPStatus.TOO_MANY_REQUESTS and json_of(response).get("code") == "throttled"
    ):
        wait_s = told_s if told_s is not None else 5.0
    else:
        return None
    return wait_s if wait_s <= LONGEST_WAIT_S else None


def told_wait_of(response: httpx.Response) -> float | None:
    """Return for how long the site asks to wait, if it does."""
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else None


def read(response: httpx.Response) -> dict[str, Any]:
    """Return the document; raises Refused or Unreachable for any other answer."""
    body = json_of(response)
    if response.status_code == HTTPStatus.NO_CONTENT:
        return {}
    if response.is_success:
        if not body:
            raise odd("not a JSON object")
        return body
    if isinstance(body.get("code"), str) and isinstance(body.get("message"), str):
        if response.is_server_error:
            raise _failed(body)
        raise Refused(response.status_code, body)
    raise odd(f"status {response.status_code}")


def json_of(response: httpx.Response) -> dict[str, Any]:
    """Return the object that an answer holds; an empty one if it holds none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):  # the latter from a thousand brackets
        return {}
    return body if isinstance(body, dict) else {}


def _failed(body: Mapping[str, Any]) -> Unreachable:
    """Return the site's own fault with the reference by which its staff find it."""
    reference = body.get("reference")
    return Unreachable(body["message"] + (f" Reference: {reference}." if isinstance(reference, str) else ""))


def odd(what: str) -> Unreachable:
    """Return what is raised for an answer that makes no sense."""
    return Unreachable(f"The server answered with {what}; is it a Podium site?")
