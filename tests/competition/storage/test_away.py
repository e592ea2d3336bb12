"""A store that is away: whoever uploads or downloads is told to come again, and nothing is taken or lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from competition import storage
from competition.accounts.tokens import make_token
from competition.s3 import S3Storage
from competition.submissions.models import Evaluation, Submission
from competition.tracks.models import Track

pytestmark = pytest.mark.django_db

ENTRY = b"PK entry"
S3 = {
    "BACKEND": "competition.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": "podium",
        "endpoint_url": "http://127.0.0.1:1",  # where nobody listens
        "region_name": "us-east-1",
        "access_key": "test",
        "secret_key": "test",
        "client_config": Config(connect_timeout=1, retries={"total_max_attempts": 1}),
    },
}


@contextmanager
def away(kind: str, settings: Settings) -> Iterator[None]:
    def fail(*_: object) -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    there = settings.STORAGES
    with pytest.MonkeyPatch.context() as meanwhile:
        if kind == "s3":
            settings.STORAGES = {**there, "default": S3}
        else:
            meanwhile.setattr(FileSystemStorage, "_save", fail)
            meanwhile.setattr(FileSystemStorage, "_open", fail)
        yield
    settings.STORAGES = there


@pytest.fixture
def client(alice: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    client.defaults["HTTP_AUTHORIZATION"] = f"Token {make_token(owner=alice, name='test')}"
    return client


def upload(client: Client, name: str, track: Track, accept: str = "application/json") -> Any:
    entry = {"entry": SimpleUploadedFile("entry.zip", ENTRY)}
    return client.post(reverse(name, args=[track.slug]), entry, headers={"Accept": accept})


def code_of(answer: Any) -> str:
    body = answer.json()
    return str(body.get("code") or body["findings"][0]["code"])


@pytest.mark.parametrize("kind", ["s3", "folder"])
@pytest.mark.parametrize("name", ["api-submit", "submit"])
def test_an_upload_is_told_to_come_again_and_is_taken_when_it_does(
    client: Client, track: Track, settings: Settings, kind: str, name: str
) -> None:
    with away(kind, settings):
        told = upload(client, name, track)
    left = (Submission.objects.count(), list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()))
    taken = upload(client, name, track)

    assert (told.status_code, code_of(told), told.headers["Retry-After"]) == (503, "store_away", "15")
    assert left == (0, [])
    assert taken.status_code == 201
    with Submission.objects.get().entry.open() as stored:
        assert stored.read() == ENTRY


def test_without_the_script_the_answer_is_a_page(client: Client, track: Track, settings: Settings) -> None:
    with away("s3", settings):
        told = upload(client, "submit", track, accept="text/html")

    assert (told.status_code, told.headers["Retry-After"]) == (503, "15")
    assert "file store does not answer" in told.content.decode()


@pytest.mark.parametrize("kind", ["s3", "folder"])
def test_a_download_is_told_to_come_again(
    client: Client, evaluation: Evaluation, settings: Settings, kind: str
) -> None:
    with away(kind, settings):
        told = client.get(reverse("api-entry", args=[evaluation.submission_id]))

    assert (told.status_code, code_of(told)) == (503, "store_away")


def test_what_has_nothing_to_do_with_a_store_is_no_trouble_of_its() -> None:
    assert not storage.is_away(OSError(errno.EACCES, "denied"))
    assert not storage.is_away(ValueError())
    assert not storage.is_away(None)


def test_a_store_is_waited_for_for_seconds_unless_it_is_told_otherwise() -> None:
    options = {"bucket_name": "podium", "region_name": "us-east-1"}
    own = S3Storage(**options).client_config
    told = S3Storage(**options, client_config=Config(connect_timeout=1)).client_config

    assert (own.connect_timeout, own.read_timeout, own.retries["total_max_attempts"]) == (5, 30, 3)
    assert (told.connect_timeout, told.read_timeout) == (1, 30)
