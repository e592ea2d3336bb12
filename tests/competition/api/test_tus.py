"""Uploads in pieces, by the tus protocol: cut anywhere, repeated, out of order, two at once, damaged, forgotten."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import os
import shutil
from collections import namedtuple
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from competition import uploads
from competition.accounts.tokens import make_token
from competition.submissions import lifecycle, resuming, services
from competition.submissions.models import PartialUpload, Submission
from competition.submissions.resuming import beginning, writing
from competition.tracks.models import Track
from tests.examples import rewrite

pytestmark = pytest.mark.django_db

ENTRY = b"PK" + bytes(range(256)) * 40
SHA256 = hashlib.sha256(ENTRY).hexdigest()
Usage = namedtuple("Usage", "total used free")


def in_base64(content: bytes | str) -> str:
    return base64.b64encode(content if isinstance(content, bytes) else content.encode()).decode()


class Sender:
    """A client of the protocol, as one participant."""

    def __init__(self, user: User, track: Track) -> None:
        self.track = track
        self.client = Client(raise_request_exception=False)
        token = make_token(owner=user, name="test")
        self.headers = {"Authorization": f"Token {token}", "Tus-Resumable": "1.0.0"}

    def create(
        self, length: int = len(ENTRY), name: str = "net.zip", sha256: str = "", **headers: str
    ) -> HttpResponse:
        metadata = f"filename {in_base64(name)}" + (f",sha256 {in_base64(sha256)}" if sha256 else "")
        told = {"Upload-Length": str(length), "Upload-Metadata": metadata, **headers}
        return self._send("post", reverse("api-uploads", args=[self.track.slug]), told)

    def begin(self, **options: Any) -> str:
        answer = self.create(**options)
        assert answer.status_code == 201, answer.content
        return answer.headers["Location"]

    def send(self, address: str, piece: bytes, offset: int, **headers: str) -> HttpResponse:
        return self._send("patch", address, {"Upload-Offset": str(offset), **headers}, piece)

    def ask(self, address: str) -> HttpResponse:
        return self._send("head", address, {})

    def stop(self, address: str) -> HttpResponse:
        return self._send("delete", address, {})

    def offset(self, address: str) -> int:
        return int(self.ask(address).headers["Upload-Offset"])

    def break_off(self, address: str, piece: bytes, offset: int, announced: int) -> HttpResponse:
        """Announce more than comes before the line breaks."""
        return self._send(
            "patch",
            address,
            {"Upload-Offset": str(offset)},
            b"-",  # in its place stands the broken line
            **{"wsgi.input": BrokenLine(piece), "CONTENT_LENGTH": str(announced)},
        )

    def _send(self, method: str, address: str, told: dict[str, str], body: bytes = b"", **extra: Any) -> Any:
        kind = {"content_type": "application/offset+octet-stream"} if body else {}
        return self.client.generic(
            method.upper(), address, body, headers={**self.headers, **told}, **kind, **extra
        )


class BrokenLine(io.RawIOBase):
    """A body that breaks off after its first bytes."""

    def __init__(self, begin: bytes) -> None:
        self.begin = begin

    def read(self, size: int = -1) -> bytes:
        if not self.begin:
            raise ConnectionResetError
        begin, self.begin = self.begin[:size], self.begin[size:]
        return begin


@pytest.fixture
def sender(alice: User, track: Track) -> Sender:
    return Sender(alice, track)


@pytest.fixture
def folder(settings: Settings) -> Path:
    return Path(settings.FILE_UPLOAD_TEMP_DIR)


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def code(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def stored() -> bytes:
    with Submission.objects.get().entry.open() as file:
        content: bytes = file.read()
    return content


# --- the whole way -------------------------------------------------------------------------------


def test_pieces_become_one_submission_that_is_queued(sender: Sender, alice: User, folder: Path) -> None:
    address = sender.begin(sha256=SHA256)

    first = sender.send(address, ENTRY[:5000], 0)
    last = sender.send(address, ENTRY[5000:], 5000)

    submission = Submission.objects.get()
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "5000")
    assert "Podium-Submission" not in first.headers
    assert (last.status_code, last.headers["Podium-Submission"]) == (204, str(submission.pk))
    assert (submission.participant, submission.entry_name, submission.sha256) == (alice, "net.zip", SHA256)
    assert submission.evaluations.get().status == "queued"
    assert stored() == ENTRY
    assert left_behind(folder) == []


def test_an_upload_may_begin_with_its_first_piece(sender: Sender) -> None:
    address = reverse("api-uploads", args=[sender.track.slug])
    told = {"Upload-Length": str(len(ENTRY)), "Upload-Metadata": f"filename {in_base64('net.zip')}"}

    answer = sender._send("post", address, told, ENTRY)

    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(ENTRY)))
    assert stored() == ENTRY


def test_head_tells_all_that_is_needed_to_go_on(sender: Sender) -> None:
    address = sender.begin()
    sender.send(address, ENTRY[:100], 0)

    answer = sender.ask(address)

    told = answer.headers
    assert (told["Upload-Offset"], told["Upload-Length"]) == ("100", str(len(ENTRY)))
    assert told["Upload-Metadata"] == f"filename {in_base64('net.zip')}"
    assert (told["Cache-Control"], told["Tus-Resumable"]) == ("no-store", "1.0.0")
    assert "GMT" in told["Upload-Expires"]


def test_get_tells_the_same_in_json(sender: Sender) -> None:
    address = sender.begin()
    sender.send(address, ENTRY[:100], 0)

    told = sender._send("get", address, {}).json()

    assert (told["received_bytes"], told["entry_bytes"], told["submission"]) == (100, len(ENTRY), None)


def test_options_tell_what_the_site_speaks(sender: Sender) -> None:
    answer = sender._send("options", reverse("api-uploads", args=[sender.track.slug]), {})

    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) >= {"creation", "expiration", "termination"}
    assert answer.headers["Tus-Max-Size"] == str(512 * 2**20)


def test_a_post_may_stand_for_another_method(sender: Sender) -> None:
    address = sender.begin()

    told = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
    answer = sender._send("post", address, told, ENTRY)

    assert (answer.status_code, stored()) == (204, ENTRY)


# --- cut anywhere --------------------------------------------------------------------------------


@given(cuts=st.lists(st.integers(0, len(ENTRY)), max_size=5))
@hypothesis_settings(
    max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
def test_cut_at_any_byte_it_goes_on_from_there(sender: Sender, track: Track, cuts: list[int]) -> None:
    Track.objects.filter(pk=track.pk).update(quota_submissions=1000)
    entry = uuid4().bytes + ENTRY[16:]  # the site has none of the others
    address = sender.begin()

    for cut in sorted(cuts):
        offset = sender.offset(address)
        sender.break_off(address, entry[offset:cut], offset, len(entry) - offset)
    offset = sender.offset(address)
    assert offset == max([0, *cuts])
    if offset < len(entry):
        sender.send(address, entry[offset:], offset)

    with Submission.objects.get(sha256=hashlib.sha256(entry).hexdigest()).entry.open() as file:
        assert file.read() == entry
    assert sender.offset(address) == len(entry)


def test_what_a_killed_process_did_not_note_is_sent_again(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = sender.begin()
    sender.send(address, ENTRY[:100], 0)
    with monkeypatch.context() as killed:
        killed.setattr(writing._Writer, "_note", lambda self: None)
        sender.break_off(address, b"\xff" * 500, 100, 1000)

    assert sender.offset(address) == 100
    sender.send(address, ENTRY[100:], 100)
    assert stored() == ENTRY


def test_a_large_piece_is_noted_on_its_way(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "READ_BYTES", 100)
    monkeypatch.setattr(writing, "NOTED_EVERY_BYTES", 1000)
    noted = []
    settle = writing.settle
    monkeypatch.setattr(writing, "settle", lambda file: (noted.append(1), settle(file)))
    address = sender.begin()

    sender.send(address, ENTRY[:5050], 0)

    assert (len(noted), sender.offset(address)) == (6, 5050)


# --- repeated, out of order, two at once ------------------------------------------------------------


def test_the_last_piece_again_makes_no_second_submission(sender: Sender) -> None:
    address = sender.begin()
    sender.send(address, ENTRY[:5000], 0)
    sender.send(address, ENTRY[5000:], 5000)

    again = sender.send(address, ENTRY[5000:], 5000)

    assert code(again) == (409, "wrong_offset")
    assert sender.ask(address).headers["Podium-Submission"] == str(Submission.objects.get().pk)


@pytest.mark.parametrize("offset", [0, 99, 101, 5000])
def test_a_piece_out_of_order_changes_nothing(sender: Sender, offset: int) -> None:
    address = sender.begin()
    sender.send(address, ENTRY[:100], 0)

    answer = sender.send(address, b"\xff" * 50, offset)

    assert code(answer) == (409, "wrong_offset")
    sender.send(address, ENTRY[100:], 100)
    assert stored() == ENTRY


class Interrupting:
    """A body in whose middle something else happens."""

    def __init__(self, content: bytes, happens: Callable[[], object]) -> None:
        self.parts = [content[: len(content) // 2], content[len(content) // 2 :]]
        self.happens = happens

    def read(self, size: int = -1) -> bytes:
        if len(self.parts) == 1:
            self.happens()
        return self.parts.pop(0) if self.parts else b""


def append(address: str, body: Any, offset: int, piece_bytes: int) -> PartialUpload:
    upload = PartialUpload.objects.get(pk=address.split("/")[-2])
    return resuming.append(upload, body, offset=offset, piece_bytes=piece_bytes)


def test_who_comes_last_writes_on_and_the_one_before_changes_nothing(sender: Sender) -> None:
    address = sender.begin()
    body = Interrupting(b"\xff" * 2000, lambda: sender.send(address, ENTRY[:500], 0))

    with pytest.raises(resuming.Elsewhere):
        append(address, body, 0, 2000)

    assert sender.offset(address) == 500
    sender.send(address, ENTRY[500:], 500)
    assert stored() == ENTRY


def test_of_two_who_complete_it_one_makes_the_submission(sender: Sender) -> None:
    address = sender.begin()
    body = Interrupting(ENTRY, lambda: sender.send(address, ENTRY, 0))

    with pytest.raises(resuming.Elsewhere):
        append(address, body, 0, len(ENTRY))

    assert Submission.objects.count() == 1
    assert stored() == ENTRY


def test_nobody_writes_while_it_is_stored(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    address = sender.begin()
    answers = []
    accept = services.accept_submission

    def slowly(**options: Any) -> Submission:
        answers.append(sender.send(address, ENTRY, 0))
        return accept(**options)

    monkeypatch.setattr(services, "accept_submission", slowly)
    last = sender.send(address, ENTRY, 0)

    assert code(answers[0]) == (423, "upload_busy")
    assert answers[0].headers["Retry-After"] == "5"
    assert last.status_code == 204
    assert Submission.objects.count() == 1


def test_a_store_that_outlasts_its_time_loses_to_whoever_came_later(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    address = sender.begin()
    accept = services.accept_submission

    def much_too_slowly(**options: Any) -> Submission:
        monkeypatch.setattr(services, "accept_submission", accept)
        PartialUpload.objects.update(finishing_until=timezone.now() - timedelta(seconds=1))
        assert sender.send(address, ENTRY, 0).status_code == 204
        return accept(**options)

    monkeypatch.setattr(services, "accept_submission", much_too_slowly)
    late = sender.send(address, ENTRY, 0)

    assert late.status_code in {409, 404}
    assert stored() == ENTRY
    kept = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert len(kept) == 1


# --- other people ----------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["ask", "stop", "send"])
def test_others_do_not_find_it(sender: Sender, bob: User, track: Track, act: str) -> None:
    address = sender.begin()
    stranger = Sender(bob, track)

    answer = stranger.send(address, ENTRY, 0) if act == "send" else getattr(stranger, act)(address)

    assert answer.status_code == 404
    assert sender.offset(address) == 0


def test_an_unknown_one_is_not_found(sender: Sender) -> None:
    assert sender.ask(reverse("api-upload", args=[uuid4()])).status_code == 404


def test_a_hidden_track_takes_none(sender: Sender, track: Track) -> None:
    Track.objects.filter(pk=track.pk).update(is_open=False)

    assert sender.create().status_code in {403, 404}


# --- what is wrong with it -------------------------------------------------------------------------


def test_a_wrong_sha256_ends_it(sender: Sender, folder: Path) -> None:
    address = sender.begin(sha256="0" * 64)

    answer = sender.send(address, ENTRY, 0)

    assert code(answer) == (422, "upload_damaged")
    assert sender.ask(address).status_code == 404
    assert (left_behind(folder), Submission.objects.count()) == ([], 0)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_piece_that_is_not_its_checksum_is_not_kept(sender: Sender, algorithm: str) -> None:
    address = sender.begin()
    right = f"{algorithm} {in_base64(hashlib.new(algorithm, ENTRY[:100]).digest())}"

    damaged = sender.send(address, ENTRY[1:101], 0, **{"Upload-Checksum": right})
    after = sender.offset(address)
    whole = sender.send(address, ENTRY[:100], 0, **{"Upload-Checksum": right})

    assert code(damaged) == (460, "checksum_mismatch")
    assert (after, whole.headers["Upload-Offset"]) == (0, "100")


def test_of_a_piece_with_a_checksum_that_is_cut_nothing_counts(sender: Sender) -> None:
    address = sender.begin()
    told = {"Upload-Offset": "0", "Upload-Checksum": f"sha256 {in_base64(hashlib.sha256(ENTRY).digest())}"}

    extra = {"wsgi.input": BrokenLine(ENTRY[:50]), "CONTENT_LENGTH": str(len(ENTRY))}
    sender._send("patch", address, told, b"-", **extra)

    assert sender.offset(address) == 0


@pytest.mark.parametrize("told", ["sha1", "sha1 !!", "crc32 AAAA", "sha1 AAAA", ""])
def test_a_checksum_that_is_none_is_refused(sender: Sender, told: str) -> None:
    address = sender.begin()

    assert code(sender.send(address, ENTRY, 0, **{"Upload-Checksum": told})) == (400, "invalid_request")


def test_more_than_was_announced_is_refused(sender: Sender) -> None:
    address = sender.begin()

    answer = sender.send(address, ENTRY + b"!", 0)

    assert code(answer) == (413, "piece_too_long")
    assert sender.offset(address) == 0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Upload-Length": ""}, (400, "invalid_request")),
        ({"Upload-Length": "-1"}, (400, "invalid_request")),
        ({"Upload-Length": "1e3"}, (400, "invalid_request")),
        ({"Upload-Defer-Length": "1"}, (400, "invalid_request")),
        ({"Upload-Metadata": "filename !"}, (400, "invalid_request")),
        ({"Upload-Metadata": "filename /w=="}, (400, "invalid_request")),
        ({"Upload-Metadata": "x" * 5000}, (400, "invalid_request")),
        ({"Upload-Metadata": f"filename {in_base64('a.zip')},sha256 {in_base64('xy')}"}, (400, "invalid_request")),
        ({"Tus-Resumable": "0.2.2"}, (412, "unsupported_tus_version")),
        ({"Transfer-Encoding": "chunked"}, (411, "length_required")),
    ],
)  # fmt: skip
def test_a_malformed_beginning_is_refused(
    sender: Sender, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert code(sender.create(**headers)) == expected
    assert not PartialUpload.objects.exists()


def test_a_piece_of_another_kind_is_refused(sender: Sender) -> None:
    address = sender.begin()

    answer = sender.client.patch(address, ENTRY, headers={**sender.headers, "Upload-Offset": "0"})

    assert answer.status_code == 415


def test_a_form_is_no_first_piece(sender: Sender) -> None:
    told = {"Upload-Length": str(len(ENTRY)), "Upload-Metadata": f"filename {in_base64('net.zip')}"}

    answer = sender.client.post(
        reverse("api-uploads", args=[sender.track.slug]), {"a": "b"}, headers={**sender.headers, **told}
    )

    assert (answer.status_code, PartialUpload.objects.count()) == (415, 0)


# --- refused before a byte is sent -------------------------------------------------------------------


def test_a_name_that_no_format_has_is_refused_at_once(sender: Sender) -> None:
    answer = sender.create(name="notes.txt")

    assert code(answer) == (422, "unrecognised_format")
    assert "“notes.txt” does not end in .zip" in answer.json()["message"]


def test_a_size_beyond_the_tracks_is_refused_at_once(sender: Sender, track: Track) -> None:
    rewrite(track, archive_limits__max_entry_bytes=100)

    assert code(sender.create(length=101)) == (413, "upload_too_large")


def test_an_empty_file_is_refused_at_once(sender: Sender) -> None:
    assert code(sender.create(length=0)) == (400, "empty_upload")


def test_a_track_may_allow_five_gigabytes(sender: Sender, track: Track, settings: Settings) -> None:
    settings.MAX_UPLOADING_BYTES = 64 * 2**30
    rewrite(track, archive_limits__max_entry_bytes=5 * 2**30)
    created: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beginning, "create_file", lambda upload_id, announced: created.append(announced))
        assert sender.create(length=5 * 2**30).status_code == 201
    assert code(sender.create(length=5 * 2**30 + 1)) == (413, "upload_too_large")
    assert created == [5 * 2**30]


def test_without_a_slot_it_is_refused_at_once(sender: Sender, track: Track) -> None:
    sender.send(sender.begin(), ENTRY, 0)
    Track.objects.filter(pk=track.pk).update(quota_submissions=1)

    answer = sender.create(length=500_000)

    assert code(answer) == (429, "quota_used_up")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_file_that_the_site_has_is_told_at_once_by_its_sha256(sender: Sender, track: Track) -> None:
    sender.send(sender.begin(), ENTRY, 0)
    Track.objects.filter(pk=track.pk).update(quota_submissions=1)

    answer = sender.create(sha256=SHA256)

    assert code(answer) == (409, "already_submitted")
    assert answer.json()["submission"]["id"] == str(Submission.objects.get().pk)


def test_without_its_sha256_it_is_told_in_the_end(sender: Sender, folder: Path) -> None:
    sender.send(sender.begin(), ENTRY, 0)

    answer = sender.send(sender.begin(), ENTRY, 0)

    assert code(answer) == (409, "already_submitted")
    assert left_behind(folder) == []


def test_more_than_the_disk_has_is_refused_at_once(
    sender: Sender, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = uploads.KEPT_FREE_BYTES + 100
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))

    answer = sender.create()

    assert code(answer) == (507, "no_room_for_upload")
    assert (left_behind(folder), PartialUpload.objects.count()) == ([], 0)


def test_uploads_under_way_hold_their_room_together(sender: Sender, settings: Settings) -> None:
    settings.MAX_UPLOADING_BYTES = 3_000_000
    sender.begin(length=2_000_000)

    assert code(sender.create(length=2_000_000)) == (503, "too_many_uploads")
    assert sender.create(length=500_000).status_code == 201


def test_room_is_taken_from_the_beginning(sender: Sender, folder: Path) -> None:
    sender.begin(length=2_000_000)

    (file,) = folder.iterdir()
    assert file.stat().st_blocks * 512 >= 2_000_000


# --- a disk that fills up, a database that is away -----------------------------------------------------


def fail(with_code: int) -> Any:
    def failing(*_: object, **__: object) -> None:
        raise OSError(with_code, os.strerror(with_code))

    return failing


def test_a_disk_that_fills_up_midway_loses_nothing(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    address = sender.begin()
    sender.send(address, ENTRY[:100], 0)
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", fail(errno.ENOSPC))
        answer = sender.send(address, ENTRY[100:], 100)

    assert code(answer) == (507, "no_room_for_upload")
    assert sender.offset(address) == 100
    sender.send(address, ENTRY[100:], 100)
    assert stored() == ENTRY


def test_a_store_that_is_full_keeps_what_was_sent(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    address = sender.begin()
    sender.send(address, ENTRY[:5000], 0)
    with monkeypatch.context() as full:
        full.setattr(FileSystemStorage, "_save", fail(errno.ENOSPC))
        answer = sender.send(address, ENTRY[5000:], 5000)

    assert code(answer) == (507, "no_room_for_upload")
    assert sender.offset(address) == 5000
    sender.send(address, ENTRY[5000:], 5000)
    assert stored() == ENTRY


def test_rows_that_cannot_be_written_keep_what_was_sent(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError

    address = sender.begin()
    sender.send(address, ENTRY[:5000], 0)
    with monkeypatch.context() as broken:
        broken.setattr(lifecycle, "enter", away)
        assert sender.send(address, ENTRY[5000:], 5000).status_code >= 500

    assert sender.offset(address) == 5000
    assert sender.send(address, ENTRY[5000:], 5000).status_code == 204
    assert stored() == ENTRY
    assert len([path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]) == 1


def test_a_slot_that_went_meanwhile_keeps_what_was_sent(
    sender: Sender, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = sender.begin()
    sender.send(sender.begin(), ENTRY[1:] + b"!", 0)
    Track.objects.filter(pk=track.pk).update(quota_submissions=1)

    refused = sender.send(address, ENTRY, 0)
    Track.objects.filter(pk=track.pk).update(quota_submissions=2)
    accepted = sender.send(address, ENTRY, 0)

    assert code(refused) == (429, "quota_used_up")
    assert (accepted.status_code, Submission.objects.count()) == (204, 2)


def test_after_a_process_was_killed_while_it_stored_others_wait_for_its_time(sender: Sender) -> None:
    address = sender.begin()
    # What a killed process could not take back.
    PartialUpload.objects.update(finishing_until=timezone.now() + timedelta(seconds=30))

    assert code(sender.send(address, ENTRY, 0)) == (423, "upload_busy")
    PartialUpload.objects.update(finishing_until=timezone.now() - timedelta(seconds=1))
    assert sender.send(address, ENTRY, 0).status_code == 204


# --- stopped, forgotten ----------------------------------------------------------------------------------


def test_a_stopped_upload_leaves_nothing(sender: Sender, folder: Path) -> None:
    address = sender.begin()
    sender.send(address, ENTRY[:100], 0)

    assert sender.stop(address).status_code == 204
    assert sender.ask(address).status_code == 404
    assert left_behind(folder) == []


def test_a_submission_is_not_stopped_as_an_upload(sender: Sender) -> None:
    address = sender.begin()
    sender.send(address, ENTRY, 0)

    assert code(sender.stop(address)) == (409, "already_finished")
    assert Submission.objects.exists()


def expire(address: str) -> UUID:
    upload_id = UUID(address.split("/")[-2])
    PartialUpload.objects.filter(pk=upload_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    return upload_id


def test_an_upload_that_was_left_alone_is_gone(sender: Sender, folder: Path) -> None:
    address = sender.begin()
    expire(address)

    assert code(sender.send(address, ENTRY, 0)) == (410, "upload_expired")
    assert resuming.remove_expired(timezone.now()) == 1
    assert (left_behind(folder), sender.ask(address).status_code) == ([], 404)


def test_the_next_upload_makes_room(sender: Sender, folder: Path) -> None:
    expired = expire(sender.begin())

    sender.begin()

    assert not (folder / f"{expired}.partial").exists()
    assert len(left_behind(folder)) == 1


def test_what_became_a_submission_is_forgotten_without_it(sender: Sender) -> None:
    address = sender.begin()
    sender.send(address, ENTRY, 0)
    expire(address)

    resuming.remove_expired(timezone.now())

    assert (PartialUpload.objects.count(), stored()) == (0, ENTRY)


def test_one_too_many_ends_the_one_that_was_left_alone_for_longest(sender: Sender, folder: Path) -> None:
    addresses = [sender.begin() for _ in range(3)]
    sender.send(addresses[0], ENTRY[:100], 0)

    sender.begin()

    assert [sender.ask(address).status_code for address in addresses] == [200, 404, 200]
    assert len(left_behind(folder)) == 3


def test_a_file_that_no_row_names_is_removed_once_it_is_old(sender: Sender, folder: Path) -> None:
    young, old = (folder / f"{uuid4()}.partial" for _ in range(2))
    for file in (young, old):
        file.write_bytes(b"PK")
    os.utime(old, (0, 0))

    sender.begin()

    assert (young.exists(), old.exists()) == (True, False)


def test_an_upload_whose_file_is_lost_is_gone(sender: Sender, folder: Path) -> None:
    address = sender.begin()
    for file in folder.iterdir():
        file.unlink()

    assert code(sender.send(address, ENTRY, 0)) == (410, "upload_expired")
    assert sender.ask(address).status_code == 404


def test_a_disk_without_second_names_stores_a_copy(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "hardlink_to", fail(errno.EPERM))

    sender.send(sender.begin(), ENTRY, 0)

    assert stored() == ENTRY
