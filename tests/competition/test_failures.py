"""What is answered when no view could: the API's one shape below /api/, pages elsewhere, no internals."""

import logging
import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.client import RequestFactory

from competition.api.leaderboard import ShowLeaderboard
from competition.failures import server_error
from competition.logs import formatter
from competition.pages import tracks as views
from competition.tracks.models import Track

SECRET = "password=hunter2"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def _broken_views(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> HttpResponse:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr(ShowLeaderboard, "get", fail)
    monkeypatch.setattr(views, "tracks_for", fail)


@pytest.fixture
def broken_api(_broken_views: None, track: Track) -> str:
    return f"/api/tracks/{track.slug}/leaderboard/"


@pytest.fixture
def broken_page(_broken_views: None, track: Track) -> str:
    return f"/tracks/{track.slug}/"


def test_a_defect_below_the_api_has_the_shape_of_every_refusal(client: Client, broken_api: str) -> None:
    answer = client.get(broken_api)

    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert set(body) == {"code", "message", "hint", "findings", "reference"}
    assert (body["code"], body["findings"]) == ("server_error", [])
    assert re.fullmatch(r"[0-9a-f]{8}", body["reference"])


def test_a_defect_of_a_page_is_a_page(client: Client, broken_page: str) -> None:
    answer = client.get(broken_page)

    assert (answer.status_code, answer["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert re.search(r"<code>[0-9a-f]{8}</code>", answer.content.decode())


@pytest.mark.parametrize("place", ["broken_api", "broken_page"])
def test_no_answer_tells_what_failed(client: Client, place: str, request: pytest.FixtureRequest) -> None:
    answer = client.get(request.getfixturevalue(place))

    text = answer.content.decode()
    assert [word for word in (SECRET, "ZeroDivisionError", "Traceback", ".py") if word in text] == []


def test_the_log_line_about_the_defect_carries_the_answer_s_reference(
    client: Client, broken_api: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get(broken_api)

    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    line = formatter().format(record)
    assert f"reference={answer.json()['reference']}" in line
    assert "ZeroDivisionError" in line


def test_two_defects_have_two_references(client: Client, broken_api: str) -> None:
    references = {client.get(broken_api).json()["reference"] for _ in range(2)}

    assert len(references) == 2


def test_the_page_of_a_defect_asks_no_database(rf: RequestFactory) -> None:
    request: HttpRequest = rf.get("/")

    assert server_error(request).status_code == 500


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/", "/api/nothing/", "/api/a%0Ab", "/api/tracks//", "/api/%00"])
def test_an_unknown_address_below_the_api_is_told_in_its_shape(client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/nothing/", "/apis/", "/tracks/api/"])
def test_an_unknown_address_elsewhere_is_a_page(client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 404
    assert b"<h1>Not found</h1>" in answer.content


def test_a_request_for_a_host_that_is_not_ours_is_malformed(client: Client) -> None:
    answer = client.get("/api/tracks/", headers={"host": "elsewhere.example"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"


def test_such_a_request_for_a_page_is_answered_by_a_page(client: Client) -> None:
    answer = client.get("/", headers={"host": "elsewhere.example"})

    assert answer.status_code == 400
    assert b"<html" in answer.content
