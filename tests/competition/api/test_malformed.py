"""No body makes the API fail: every route that takes one, with every malformed body."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from pytest_django import Settings

from competition.accounts.tokens import make_token
from competition.clock import database_now
from competition.submissions.models import Evaluation, PartialUpload
from competition.tracks.models import Track
from tests.competition.malformed import JSON, Malformed, any_bodies

FIELDS = ("username", "email", "password")
BODIES = any_bodies(*FIELDS)
STATUSES = {400, 415}
CODES = {"parse_error", "invalid_request", "unsupported_media_type", "empty_upload"}


def routes_with_a_body() -> list[str]:
    """Return the routes that cannot do without a body, by the OpenAPI document; all are POST."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    bodies = {path: operations.get("post", {}).get("requestBody", {}) for path, operations in paths.items()}
    return [path for path, body in bodies.items() if body.get("required")]


@pytest.fixture
def past_the_site(settings: Settings) -> None:
    """Let entries go straight into a store, which a malformed body never reaches."""
    settings.S3_UPLOAD_ENDPOINT = "https://store.example"


@pytest.fixture
def upload(alice: User, track: Track, past_the_site: None) -> PartialUpload:
    """Return an entry of which nothing is there yet."""
    now = database_now()
    return PartialUpload.objects.create(
        track=track,
        participant=alice,
        entry_name="entry.zip",
        entry_bytes=1,
        multipart_id="1",
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


@pytest.fixture
def client(alice: User) -> Client:
    """Return a caller with a token, whom every route admits; those that need none do not look at it."""
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    token = make_token(owner=alice, name="test")
    return Client(raise_request_exception=False, HTTP_AUTHORIZATION=f"Token {token}")


def send(client: Client, path: str, malformed: Malformed) -> tuple[int, str, bool]:
    """Return the answer's status, its code, and whether it has the shape of every refusal."""
    cache.clear()  # else the throttles would refuse the rest
    answer = client.generic("POST", path, malformed.body, content_type=malformed.content_type)
    body = answer.json()
    shapely = set(body) >= {"code", "message", "hint", "findings"} and bool(body["message"])
    return answer.status_code, body["code"], shapely


def test_the_routes_with_a_body_are_found() -> None:
    assert set(routes_with_a_body()) == {
        "/api/accounts/",
        "/api/token/",
        "/api/submissions/{id}/quarantine/",
        "/api/tracks/{slug}/direct-uploads/",
        "/api/tracks/{slug}/submissions/",
        "/api/uploads/{id}/parts/",
    }


@pytest.mark.parametrize("what", BODIES)
def test_a_malformed_body_is_refused_by_every_route(
    client: Client, evaluation: Evaluation, upload: PartialUpload, what: str
) -> None:
    submission = evaluation.submission
    of = {"uploads": upload.pk, "submissions": submission.pk}
    paths = [
        path.format(slug=submission.track.slug, id=of.get(path.split("/")[2]))
        for path in routes_with_a_body()
    ]

    answers = {path: send(client, path, BODIES[what]) for path in paths}

    odd = {
        path: answer
        for path, answer in answers.items()
        if answer[0] not in STATUSES or answer[1] not in CODES or not answer[2]
    }
    assert odd == {}
    assert list(User.objects.values_list("username", flat=True)) == ["alice"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [b"[" * 5000, b'{"username": "\\ud800", "password": "p"}', b'{"a": 1, "a": 2}', b'{"a": 1e999}'],
)
def test_json_that_nobody_can_store_is_a_parse_error(client: Client, body: bytes) -> None:
    assert send(client, "/api/token/", Malformed(body=body, content_type=JSON)) == (400, "parse_error", True)


@pytest.mark.parametrize(
    "headers", [{"HTTP_COOKIE": 'sessionid="\\000abcdefghijk"'}, {"QUERY_STRING": "track=%00"}]
)
def test_a_cookie_or_query_that_no_database_takes_is_refused(client: Client, headers: dict[str, str]) -> None:
    answer = client.get("/api/submissions/", **headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert "NUL" in answer.json()["message"]
