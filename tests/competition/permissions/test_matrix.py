"""Who gets what at every address of the site: the table in `matrix.txt`, held against the site itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from competition.tracks.models import Picture
from tests.competition.permissions.addresses import VARIANTS, routes
from tests.competition.permissions.asking import ask
from tests.competition.permissions.scene import OUTSIDERS, OWN, ROLES, SECRETS, Scene, make_scene

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOT_DONE = {"sign-in", "forbidden", "hidden", "no-method"}


def read_table() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the table: for a method and a route, a word for each role."""
    text = (Path(__file__).parent / "matrix.txt").read_text("utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {
        (row[0], " ".join(row[1 : -len(ROLES)]).removeprefix("/")): tuple(row[-len(ROLES) :]) for row in rows
    }


TABLE = read_table()
ALLOWED = sorted(TABLE)
SHOWN_ON = {
    "hidden competition": "",
    "hidden track": "tracks/<slug:slug>/ [hidden]",
    "dataset": "admin/tracks/track/add/",
    "digest of the dataset": "admin/tracks/dataset/<path:object_id>/change/",
    "e-mail": "admin/tracks/track/<int:pk>/csv/",
    "file name": "admin/submissions/submission/",
    "log": "submissions/<uuid:submission_id>/",
    "fault": "api/submissions/<uuid:id>/report/",
    "disqualified": "admin/audit/auditrecord/export/",
    "reference": "admin/submissions/evaluation/",
    "private score": "tracks/<slug:slug>/leaderboard.csv [private]",
}
"""For each secret an address that shows it to superusers: the search for secrets would find it. Nobody sees tokens."""


@pytest.fixture(scope="module")
def scene(django_db_setup, django_db_blocker) -> Iterator[Scene]:
    """One scene for all tests here: each request is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        scene = make_scene()
        assert scene.untouched
        yield scene
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _files_in_the_store(scene: Scene) -> None:
    """Put the files where the store of this test looks; the rows are older than it."""
    for evaluation in (scene.scored, scene.failed):
        default_storage.save(evaluation.submission.entry.name, ContentFile(b"entry"))
    for picture in Picture.objects.all():
        for file in (picture.file, picture.small):
            default_storage.save(file.name, ContentFile(b"picture"))


def test_the_table_names_every_address_of_the_site_and_no_other() -> None:
    named = {route for _, route in TABLE}

    assert {"missing": set(routes()) - named, "unknown": named - set(routes()) - set(VARIANTS)} == {
        "missing": set(),
        "unknown": set(),
    }


@pytest.mark.parametrize(("method", "route"), ALLOWED)
def test_an_address_answers_each_role_as_the_table_says(scene: Scene, method: str, route: str) -> None:
    asked = {role: ask(scene, route, method, role) for role in ROLES}

    assert {role: each.word for role, each in asked.items()} == dict(
        zip(ROLES, TABLE[method, route], strict=True)
    )
    assert [(role, name) for role in OUTSIDERS for name in secrets_in(asked[role].body)] == []
    assert set(secrets_in(asked["participant"].body)) <= set(OWN)
    assert [role for role in OUTSIDERS if asked[role].changed] == []


@pytest.mark.parametrize("route", routes())
def test_a_method_that_the_table_does_not_name_does_nothing(scene: Scene, route: str) -> None:
    others = [method for method in METHODS if (method, route) not in TABLE]

    asked = {method: ask(scene, route, method, "superuser") for method in others}

    # Views of the admin and of allauth answer PUT, PATCH and DELETE as they answer GET.
    answered = {"PUT", "PATCH", "DELETE"} if route.startswith(("admin/", "accounts/")) else set()
    assert {method for method, each in asked.items() if each.word not in NOT_DONE} <= answered
    assert {method for method, each in asked.items() if each.changed} == set()


@pytest.mark.parametrize("name", SHOWN_ON)
def test_a_secret_is_shown_to_whom_it_concerns(scene: Scene, name: str) -> None:
    assert name in secrets_in(ask(scene, SHOWN_ON[name], "GET", "superuser").body)


def secrets_in(body: str) -> list[str]:
    return [name for name, secret in SECRETS.items() if secret in body]
