"""Who may do what: every operation of the API times every role, checked against the URL map itself."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from rest_framework.test import APIClient

from competition.api.urls import urlpatterns
from competition.submissions.models import Evaluation
from competition.tracks.models import Track

METHODS = ("get", "post", "put", "patch", "delete")


class Answers(NamedTuple):
    """Expected status for each role; `owner` is the participant whose submission is asked for."""

    anonymous: int
    owner: int
    other: int
    staff: int


# Sign-up and token are open to all: an empty body shows that the caller got through to the form.
TABLE = {
    ("api-tracks", "get"): Answers(200, 200, 200, 200),
    ("api-track", "get"): Answers(200, 200, 200, 200),
    ("api-leaderboard", "get"): Answers(200, 200, 200, 200),
    ("api-submit", "post"): Answers(401, 201, 201, 201),
    ("api-submissions", "get"): Answers(401, 200, 200, 200),
    ("api-submission", "get"): Answers(401, 200, 404, 200),
    ("api-report", "get"): Answers(401, 200, 404, 200),
    ("api-cancel", "post"): Answers(401, 200, 404, 403),
    ("api-token", "post"): Answers(400, 400, 400, 400),
    ("api-accounts", "post"): Answers(400, 400, 400, 400),
    ("api-schema", "get"): Answers(200, 200, 200, 200),
    ("api-docs", "get"): Answers(200, 200, 200, 200),
    ("api-unknown", "get"): Answers(404, 404, 404, 404),
}


def operations() -> Iterator[tuple[str, str]]:
    for pattern in urlpatterns:
        view = pattern.callback.view_class  # type: ignore[union-attr]  # every view of the API is a class
        handled = [method for method in METHODS if hasattr(view, method)] or ["get"]
        yield from ((str(pattern.name), method) for method in handled)


@pytest.fixture
def address_of(evaluation: Evaluation, track: Track) -> Callable[[str], str]:
    """Return a function from an operation's name to its address for Alice's submission."""

    def find(name: str) -> str:
        if name == "api-unknown":
            return "/api/nothing-here/"
        arguments = {
            "api-track": [track.slug],
            "api-submit": [track.slug],
            "api-leaderboard": [track.slug],
            "api-submission": [evaluation.submission_id],
            "api-report": [evaluation.submission_id],
            "api-cancel": [evaluation.submission_id],
        }
        return reverse(name, args=arguments.get(name, []))

    return find


@pytest.fixture(params=Answers._fields)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def caller(
    role: str,
    caller_of: Callable[[User], APIClient],
    anonymous: APIClient,
    alice: User,
    bob: User,
    staff: User,
) -> APIClient:
    users = {"owner": alice, "other": bob, "staff": staff}
    return anonymous if role == "anonymous" else caller_of(users[role])


def test_the_table_names_exactly_the_operations_of_the_url_map() -> None:
    assert set(TABLE) == set(operations())


@pytest.mark.parametrize(("name", "method"), sorted(TABLE))
def test_an_operation_answers_each_role_as_the_table_says(
    name: str,
    method: str,
    role: str,
    caller: APIClient,
    address_of: Callable[[str], str],
    entry: SimpleUploadedFile,
) -> None:
    body: dict[str, Any] = {"data": {"entry": entry}} if name == "api-submit" else {}

    answer = getattr(caller, method)(address_of(name), **body)

    assert answer.status_code == getattr(TABLE[name, method], role)


@pytest.mark.parametrize(("name", "method"), sorted((n, m) for n, m in TABLE if n not in {"api-unknown"}))
def test_a_method_that_an_address_does_not_have_is_refused_in_the_one_shape(
    name: str, method: str, as_staff: APIClient, address_of: Callable[[str], str]
) -> None:
    answer = as_staff.delete(address_of(name), HTTP_ACCEPT="*/*")

    assert answer.status_code == 405
    assert answer["Allow"]
