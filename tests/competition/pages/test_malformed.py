"""No form makes a page fail: every address of the site that takes a form, with every malformed one."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from competition.wsgi import application
from tests.competition.malformed import MULTIPART, Malformed, form_bodies

FIELDS = ("login", "username", "email", "password", "password1", "password2", "action", "entry", "next")
BODIES = dict(form_bodies(*FIELDS))
GRAVEST = (
    "urlencoded NUL",
    "multipart NUL",
    "multipart bad base64",
    f"{MULTIPART} in utf-7",
    f"{MULTIPART} in bz2_codec",
)
FORMS = ("account_login", "account_signup", "account_reset_password", "submit")


@pytest.fixture
def client(db: None) -> Client:
    return Client(raise_request_exception=False)


def names_of(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield each named address below the patterns, with the names of its parameters."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            own = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from names_of(pattern.url_patterns, own)
        elif pattern.name and not pattern.name.startswith("api-"):
            yield f"{space}{pattern.name}", list(pattern.pattern.regex.groupindex)


def address(name: str, parameters: list[str], evaluation: Evaluation) -> str | None:
    """Return an address that leads to something; None where the name cannot be called so."""
    values = {"slug": evaluation.submission.track.slug, "submission_id": evaluation.submission_id}
    values |= {"app_label": "tracks", "uidb36": "1", "key": "a-b"}
    try:
        return reverse(name, kwargs={each: values.get(each, 1) for each in parameters})
    except NoReverseMatch:
        return None


def post(client: Client, path: str, malformed: Malformed) -> int:
    cache.clear()  # else the limits would refuse the rest
    return client.generic("POST", path, malformed.body, content_type=malformed.content_type).status_code


@pytest.mark.parametrize("what", GRAVEST)
def test_a_malformed_form_is_no_failure_of_ours(
    client: Client, evaluation: Evaluation, staff: User, what: str
) -> None:
    staff.is_superuser = True
    staff.save()
    found = names_of(get_resolver().url_patterns)
    paths = {address(name, parameters, evaluation) for name, parameters in found} - {
        None,
        "/accounts/logout/",
    }

    client.force_login(staff)

    statuses = {path: post(client, path, BODIES[what]) for path in paths}

    assert len(paths) > 60
    assert {path: status for path, status in statuses.items() if status >= 500} == {}


@pytest.mark.parametrize("what", BODIES)
def test_a_stranger_with_a_malformed_form_is_no_failure_either(
    client: Client, track: Track, what: str
) -> None:
    paths = [reverse(name) if name != "submit" else reverse(name, args=[track.slug]) for name in FORMS]

    statuses = [post(client, path, BODIES[what]) for path in paths]

    assert max(statuses) < 500


@pytest.mark.parametrize("query", ["/submissions/?track=%00", "/accounts/login/?next=%00"])
def test_a_query_with_a_nul_character_is_refused(client: Client, alice: User, query: str) -> None:
    client.force_login(alice)

    assert client.get(query).status_code == 400


def test_a_cookie_with_a_nul_character_is_refused(client: Client) -> None:
    assert client.get("/submissions/", HTTP_COOKIE='sessionid="\\000abcdefghijk"').status_code == 400


@pytest.mark.parametrize(
    "parameter", ["charset*=nonsense''utf-8", "charset*=utf-8''a%00", "charset*=utf-7''+2AA-"]
)
@pytest.mark.parametrize("path", ["/accounts/login/", "/api/token/"])
def test_a_content_type_that_django_cannot_read_is_refused(db: None, path: str, parameter: str) -> None:
    client = Client(raise_request_exception=False)
    environ = client._base_environ(
        PATH_INFO=path,
        REQUEST_METHOD="POST",
        CONTENT_TYPE=f"application/json; {parameter}",
        CONTENT_LENGTH="2",
    )
    statuses = []

    b"".join(application(environ, lambda status, headers, exc_info=None: statuses.append(status[:3])))

    assert statuses[0] in {"400", "403", "415"}


@pytest.mark.parametrize(
    "path", ["/tracks/%00/", "/admin/tracks/track/%00/change/", "/accounts/confirm-email/%00/"]
)
def test_a_path_with_a_nul_character_leads_nowhere(client: Client, staff: User, path: str) -> None:
    staff.is_superuser = True
    staff.save()
    client.force_login(staff)

    assert client.get(path).status_code in {302, 404}
