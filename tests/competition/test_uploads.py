"""Room for uploads: taken before the first byte, given back however a request ends."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from competition import uploads
from competition.accounts.tokens import make_token
from competition.submissions.models import Submission
from competition.tracks.models import Track

pytestmark = pytest.mark.django_db

Usage = namedtuple("Usage", "total used free")
ENTRY = b"PK" + b"\0" * 100_000


@pytest.fixture
def folder(settings: Settings) -> Path:
    return Path(settings.FILE_UPLOAD_TEMP_DIR)


@pytest.fixture
def client(alice: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    client.defaults["HTTP_AUTHORIZATION"] = f"Token {make_token(owner=alice, name='test')}"
    return client


def send(client: Client, track: Track, name: str = "api-submit", **extra: Any) -> HttpResponse:
    entry = {"entry": SimpleUploadedFile("entry.zip", ENTRY)}
    answer: HttpResponse = client.post(
        reverse(name, args=[track.slug]), entry, headers={"Accept": "application/json"}, **extra
    )
    return answer


def codes(answer: HttpResponse) -> list[str]:
    return [finding["code"] for finding in answer.json()["findings"]]


def left_behind(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def leave_free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    free = uploads.KEPT_FREE_BYTES + free_bytes
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))


def fail(code: int) -> Any:
    def failing(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return failing


# --- a full disk ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api-submit", "submit"])
def test_an_upload_larger_than_the_free_disk_is_refused_with_the_numbers(
    client: Client, track: Track, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    leave_free(monkeypatch, 50_000)

    answer = send(client, track, name)

    assert (answer.status_code, codes(answer)) == (507, ["no_room_for_upload"])
    assert answer.headers["Retry-After"] == "30"
    assert "50,000 bytes are free" in answer.json()["findings"][0]["message"]
    assert left_behind(folder) == []
    assert not Submission.objects.exists()


def test_without_the_script_the_refusal_is_the_page(
    client: Client, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_free(monkeypatch, 10)

    entry = {"entry": SimpleUploadedFile("entry.zip", ENTRY)}
    answer = client.post(reverse("submit", args=[track.slug]), entry)

    assert answer.status_code == 507
    assert "no_room_for_upload" in answer.content.decode()


def test_a_file_that_fits_is_taken(client: Client, track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_free(monkeypatch, 200_000)

    assert send(client, track).status_code == 201


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_somebody_else_fills_first_is_no_fault(
    client: Client, track: Track, folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", fail(code))

    answer = send(client, track)

    assert (answer.status_code, left_behind(folder)) == (507, [])


def test_where_room_cannot_be_promised_a_disk_that_fills_up_midway_leaves_nothing(
    client: Client, track: Track, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", fail(errno.EOPNOTSUPP))
    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", fail(errno.ENOSPC))

    answer = send(client, track)

    assert (answer.status_code, left_behind(folder)) == (507, [])


def test_a_disk_that_is_away_is_to_be_tried_again(
    client: Client, track: Track, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", fail(errno.EIO))

    answer = send(client, track)

    assert (answer.status_code, left_behind(folder)) == (503, [])


def test_a_store_that_fills_up_midway_leaves_no_part_of_the_file(
    client: Client, track: Track, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(storage: FileSystemStorage, name: str, content: object) -> None:
        part = Path(storage.path(name))
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"PK")
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(FileSystemStorage, "_save", break_off)

    answer = send(client, track)

    assert answer.status_code == 507
    assert left_behind(folder, Path(settings.MEDIA_ROOT)) == []


def test_an_upload_in_the_admin_is_refused_as_well(
    track: Track, monkeypatch: pytest.MonkeyPatch, django_user_model: Any
) -> None:
    leave_free(monkeypatch, 10)
    client = Client(raise_request_exception=False)
    client.force_login(django_user_model.objects.create_superuser("root", "root@example.org", "r"))

    archive = SimpleUploadedFile("data.zip", ENTRY)
    answer = client.post(reverse("admin:tracks_dataset_import"), {"name": "D", "archive": archive})

    assert answer.status_code == 507
    assert "no room for this upload" in answer.content.decode()


# --- room is taken and given back ----------------------------------------------------------------


def handler_of(announced: int) -> uploads.UploadHandler:
    handler = uploads.UploadHandler()
    handler.handle_raw_input(io.BytesIO(), {}, announced, "boundary")
    handler.new_file("entry", "entry.zip", "application/zip", None)
    return handler


def test_an_upload_holds_what_was_announced_until_it_is_complete(folder: Path) -> None:
    handler = handler_of(10 * 2**20)
    (file,) = left_behind(folder)

    assert file.stat().st_blocks * 512 >= 10 * 2**20
    handler.receive_data_chunk(b"entry", 0)
    complete = handler.file_complete(5)

    assert file.stat().st_size == 5
    assert (complete.size, complete.read()) == (5, b"entry")
    complete.close()
    assert left_behind(folder) == []


class BrokenLine(io.RawIOBase):
    """A body that breaks off after its first bytes."""

    def __init__(self, begin: bytes) -> None:
        self.begin = begin

    def read(self, size: int = -1) -> bytes:
        if not self.begin:
            raise ConnectionResetError
        begin, self.begin = self.begin[:size], self.begin[size:]
        return begin


@pytest.mark.parametrize("name", ["api-submit", "submit"])
def test_a_connection_that_breaks_off_leaves_nothing(
    client: Client, track: Track, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    began: list[list[Path]] = []
    write = TemporaryFileUploadHandler.receive_data_chunk

    def watched(handler: TemporaryFileUploadHandler, raw: bytes, start: int) -> None:
        began.append(left_behind(folder))
        write(handler, raw, start)

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", watched)
    head = b'--B\r\nContent-Disposition: form-data; name="entry"; filename="e.zip"\r\n\r\n'
    body = BrokenLine(head + b"\0" * 300_000)

    answer = client.post(
        reverse(name, args=[track.slug]),
        b"-",  # in its place stands the broken line
        content_type="multipart/form-data; boundary=B",
        **{"wsgi.input": body, "CONTENT_LENGTH": "1000000"},
    )

    assert answer.status_code >= 400
    assert [len(files) for files in began[:1]] == [1]
    assert left_behind(folder) == []


# --- many at once --------------------------------------------------------------------------------


@pytest.fixture
def other(folder: Path) -> Path:
    """An upload of another process, half a megabyte of it."""
    file = folder / "tmpother.upload.zip"
    file.write_bytes(b"\1" * 500_000)
    return file


def test_uploads_at_once_have_a_limit_together(
    client: Client, track: Track, other: Path, folder: Path, settings: Settings
) -> None:
    settings.MAX_UPLOADING_BYTES = 550_000

    answer = send(client, track)

    assert (answer.status_code, codes(answer)) == (503, ["too_many_uploads"])
    assert answer.headers["Retry-After"] == "30"
    assert left_behind(folder) == [other]


def test_an_upload_below_the_limit_is_taken(
    client: Client, track: Track, other: Path, settings: Settings
) -> None:
    settings.MAX_UPLOADING_BYTES = 700_000

    assert send(client, track).status_code == 201


def test_one_alone_may_be_larger_than_the_limit(client: Client, track: Track, settings: Settings) -> None:
    settings.MAX_UPLOADING_BYTES = 1

    assert send(client, track).status_code == 201


def test_what_a_killed_process_left_is_removed(
    client: Client, track: Track, other: Path, folder: Path, settings: Settings
) -> None:
    settings.MAX_UPLOADING_BYTES = 1
    os.utime(other, (0, 0))

    assert send(client, track).status_code == 201
    assert left_behind(folder) == []


def test_a_slow_upload_of_a_living_process_stays(
    client: Client, track: Track, folder: Path, settings: Settings
) -> None:
    settings.MAX_UPLOADING_BYTES = 1
    slow = handler_of(1000)
    (file,) = left_behind(folder)
    os.utime(file, (0, 0))

    assert send(client, track).status_code == 503
    assert left_behind(folder) == [file]
    slow.give_up()
