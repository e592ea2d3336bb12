"""Entries whose parts go straight into a store that speaks the S3 protocol, over HTTP; the site sees none of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from competition.accounts.tokens import make_token
from competition.submissions import resuming
from competition.submissions.models import PartialUpload, Submission
from competition.submissions.resuming import parts
from competition.tracks.models import Track
from competition.upkeep.audit import _partial_uploads
from competition.upkeep.orphans import SAFE_AGE, orphans
from scoring.cli.client import Site
from tests.competition.storage.test_s3 import BUCKET, client_of, s3, server, stored_names  # noqa: F401

pytestmark = pytest.mark.django_db

PART = 5 * 2**20  # S3 takes no smaller one but the last
ENTRY = b"PK" + bytes(range(256)) * ((2 * PART + 1000) // 256)
SHA256 = hashlib.sha256(ENTRY).hexdigest()


@pytest.fixture(autouse=True)
def _direct(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    settings.S3_UPLOAD_ENDPOINT = server
    monkeypatch.setattr(parts, "LEAST_PART_BYTES", PART)
    parts._client_at.cache_clear()


class Sender:
    """A client that puts parts into the store."""

    def __init__(self, user: User, track: Track) -> None:
        self.track = track
        headers = {"Authorization": f"Token {make_token(owner=user, name='test')}"}
        self.client = Client(headers=headers)

    def ask(self, method: str, address: str, body: dict[str, object] | None = None) -> Any:
        return getattr(self.client, method)(address, body or {}, content_type="application/json")

    def begin(self, sha256: str = SHA256, **changes: object) -> Any:
        entry = {"entry_name": "net.zip", "entry_bytes": len(ENTRY), "sha256": sha256, **changes}
        return self.ask("post", reverse("api-direct-uploads", args=[self.track.slug]), entry)

    def sign(self, upload: str, *numbers: int) -> dict[int, str]:
        answer = self.ask("post", reverse("api-parts", args=[upload]), {"numbers": list(numbers)})
        assert answer.status_code == 200, answer.content
        return {part["number"]: part["url"] for part in answer.json()["parts"]}

    def put(self, upload: str, *numbers: int, entry: bytes = ENTRY) -> None:
        for number, url in self.sign(upload, *numbers).items():
            httpx.put(url, content=entry[(number - 1) * PART : number * PART]).raise_for_status()

    def received(self, upload: str) -> list[int]:
        told: list[int] = self.client.get(reverse("api-parts", args=[upload])).json()["parts_received"]
        return told

    def complete(self, upload: str) -> Any:
        return self.ask("post", reverse("api-complete", args=[upload]))


@pytest.fixture
def sender(alice: User, track: Track) -> Sender:
    return Sender(alice, track)


@pytest.fixture
def upload(sender: Sender) -> str:
    begun = sender.begin()
    assert begun.status_code == 201, begun.content
    return str(begun.json()["id"])


def unfinished(server: str) -> list[str]:  # noqa: F811
    found = client_of(server).list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return [one["Key"] for one in found]


def test_parts_become_one_submission_that_is_queued(sender: Sender, upload: str, alice: User) -> None:
    sender.put(upload, 1, 2, 3)

    answer = sender.complete(upload)

    submission = Submission.objects.get()
    assert (answer.status_code, answer.json()["submission"]) == (200, str(submission.pk))
    assert (submission.participant, submission.sha256, submission.entry_bytes) == (alice, SHA256, len(ENTRY))
    assert submission.evaluations.get().status == "queued"
    with submission.entry.open() as file:
        assert file.read() == ENTRY


def test_it_goes_on_with_the_parts_that_the_store_lacks(sender: Sender, upload: str) -> None:
    sender.put(upload, 3, 1)

    early = sender.complete(upload)
    assert (early.status_code, early.json()["code"], early.json()["numbers"]) == (409, "parts_missing", [2])
    assert sender.received(upload) == [1, 3]
    sender.put(upload, 2)
    assert sender.complete(upload).status_code == 200


def test_the_answer_tells_what_the_parts_are(sender: Sender) -> None:
    told = sender.begin().json()

    assert (told["part_bytes"], told["parts"], told["parts_received"]) == (PART, 3, [])


def test_completed_again_it_is_the_same_submission(sender: Sender, upload: str) -> None:
    sender.put(upload, 1, 2, 3)

    first, second = sender.complete(upload).json(), sender.complete(upload).json()

    assert first["submission"] == second["submission"]
    assert Submission.objects.count() == 1


def test_a_process_that_was_killed_after_the_parts_were_put_together_costs_nothing(
    sender: Sender, upload: str
) -> None:
    sender.put(upload, 1, 2, 3)
    row = PartialUpload.objects.get()
    parts.put_together(row, parts.received(row))

    assert sender.complete(upload).status_code == 200


def test_the_site_reads_the_entry_and_believes_nobody(sender: Sender, server: str) -> None:  # noqa: F811
    upload = str(sender.begin().json()["id"])
    sender.put(upload, 1, 2, 3, entry=b"\0" * len(ENTRY))

    answer = sender.complete(upload)

    assert (answer.status_code, answer.json()["code"]) == (422, "upload_damaged")
    assert upload not in "".join(stored_names(server))
    assert (Submission.objects.count(), PartialUpload.objects.count()) == (0, 0)


def test_the_length_of_a_part_is_signed(sender: Sender, upload: str) -> None:
    (url,) = sender.sign(upload, 3).values()

    assert "content-length" in parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"][0]


def test_a_part_of_another_size_counts_as_missing(sender: Sender, upload: str, server: str) -> None:  # noqa: F811
    sender.put(upload, 1, 3)
    row = PartialUpload.objects.get()
    named = {"Bucket": BUCKET, "Key": parts.place_of(row), "UploadId": row.multipart_id}
    client_of(server).upload_part(**named, PartNumber=2, Body=b"x" * (PART + 1))

    assert sender.complete(upload).json()["numbers"] == [2]
    assert sender.received(upload) == [1, 3]


@pytest.mark.parametrize("numbers", [[4], [0], [], [1] * 101, ["x"]])
def test_parts_that_there_are_not_get_no_address(sender: Sender, upload: str, numbers: list[object]) -> None:
    answer = sender.ask("post", reverse("api-parts", args=[upload]), {"numbers": numbers})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_a_stopped_upload_leaves_nothing_in_the_store(sender: Sender, upload: str, server: str) -> None:  # noqa: F811
    sender.put(upload, 1)

    assert sender.ask("delete", reverse("api-upload", args=[upload])).status_code == 204
    assert not [name for name in unfinished(server) if upload in name]


def test_a_forgotten_upload_leaves_nothing_in_the_store(sender: Sender, upload: str, server: str) -> None:  # noqa: F811
    sender.put(upload, 1)
    PartialUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert resuming.remove_expired(timezone.now()) == 1
    assert not [name for name in unfinished(server) if upload in name]


def test_the_audit_looks_for_no_file_of_it(sender: Sender, upload: str) -> None:
    assert [found for found in _partial_uploads(timezone.now()) if upload in found.subject] == []


def test_the_store_keeps_the_entry_of_the_submission(sender: Sender, upload: str) -> None:
    sender.put(upload, 1, 2, 3)
    sender.complete(upload)

    orphaned = {file.name for file in orphans(timezone.now() + 2 * SAFE_AGE)}

    assert Submission.objects.get().entry.name not in orphaned
    assert default_storage.exists(str(Submission.objects.get().entry.name))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"entry_bytes": 0}, (400, "empty_upload")),
        ({"entry_bytes": 2**40}, (413, "upload_too_large")),
        ({"entry_name": "notes.txt"}, (422, "unrecognised_format")),
        ({"sha256": "x"}, (400, "invalid_request")),
    ],
)
def test_what_can_only_be_refused_is_refused_at_once(
    sender: Sender,
    changes: dict[str, object],
    expected: tuple[int, str],
    server: str,  # noqa: F811
) -> None:
    before = unfinished(server)
    answer = sender.begin(**changes)

    assert (answer.status_code, answer.json()["code"]) == expected
    assert unfinished(server) == before


def test_others_do_not_find_it(sender: Sender, upload: str, bob: User, track: Track) -> None:
    stranger = Sender(bob, track)

    assert stranger.complete(upload).status_code == 404
    assert stranger.ask("post", reverse("api-parts", args=[upload]), {"numbers": [1]}).status_code == 404


def test_it_takes_no_pieces_by_tus(sender: Sender, upload: str) -> None:
    answer = sender.client.generic(
        "PATCH",
        reverse("api-upload", args=[upload]),
        headers={"Tus-Resumable": "1.0.0", "Upload-Offset": "0"},
    )

    assert answer.status_code == 404


def test_where_the_store_is_not_for_participants_there_is_no_such_address(
    sender: Sender, settings: Settings
) -> None:
    settings.S3_UPLOAD_ENDPOINT = ""

    assert sender.begin().status_code == 404


def test_pages_may_speak_to_the_store(sender: Sender, settings: Settings) -> None:
    settings.S3_UPLOAD_ENDPOINT = "https://store.example.org:9000"

    policy = sender.client.get("/").headers["Content-Security-Policy"]

    assert "connect-src 'self' https://store.example.org:9000 https://*.store.example.org:9000;" in policy


def test_the_entry_is_read_in_pieces(sender: Sender, upload: str) -> None:
    sender.put(upload, 1, 2, 3)
    row = PartialUpload.objects.get()
    parts.put_together(row, parts.received(row))

    read = [len(chunk) for chunk in parts.Stored(row).chunks()]

    assert (max(read), sum(read)) == (parts.CHUNK_BYTES, len(ENTRY))


# --- by `podium submit` --------------------------------------------------------------------------------


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    path = tmp_path / "net.zip"
    path.write_bytes(ENTRY)
    return path


@pytest.fixture
def site(live_server: LiveServer, alice: User) -> Iterator[Site]:
    with Site(live_server.url, token=make_token(owner=alice, name="test"), pause=lambda _: None) as one:
        yield one


@pytest.mark.django_db(transaction=True)
def test_the_command_goes_on_with_the_parts_that_are_not_there(site: Site, track: Track, entry: Path) -> None:
    def stop_in_the_second(sent: int) -> None:
        if sent > PART + 1000:
            raise KeyboardInterrupt

    assert site.track(track.slug).direct_uploads
    with pytest.raises(KeyboardInterrupt):
        site.upload(track.slug, entry, sha256=SHA256, into_the_store=True, note=stop_in_the_second)
    sent: list[int] = []
    receipt = site.upload(track.slug, entry, sha256=SHA256, into_the_store=True, note=sent.append)

    submission = Submission.objects.get()
    assert receipt.id == submission.pk
    assert min(sent) == PART
    with submission.entry.open() as file:
        assert file.read() == ENTRY


@pytest.mark.django_db(transaction=True)
def test_a_store_that_breaks_off_is_tried_again(
    site: Site, track: Track, entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = httpx.put
    answers: list[object] = [httpx.ConnectError("gone"), httpx.Response(503), httpx.Response(403)]

    def unsteady(*args: Any, **options: Any) -> httpx.Response:
        answer = answers.pop() if answers else put(*args, **options)
        if isinstance(answer, Exception):
            raise answer
        return cast(httpx.Response, answer)

    monkeypatch.setattr(httpx, "put", unsteady)

    site.upload(track.slug, entry, sha256=SHA256, into_the_store=True, note=lambda _: None)

    assert (Submission.objects.get().sha256, answers) == (SHA256, [])


@pytest.mark.django_db(transaction=True)
def test_the_store_sees_no_token(
    site: Site, track: Track, entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []
    put = httpx.put
    monkeypatch.setattr(
        httpx, "put", lambda *args, **given: (seen.append(given["headers"]), put(*args, **given))[1]
    )

    site.upload(track.slug, entry, sha256=SHA256, into_the_store=True, note=lambda _: None)

    assert [set(headers) for headers in seen] == [{"Content-Length"}] * 3


@pytest.mark.django_db(transaction=True)
def test_what_the_site_has_is_named(site: Site, track: Track, entry: Path) -> None:
    first = site.upload(track.slug, entry, sha256=SHA256, into_the_store=True, note=lambda _: None)
    again = site.upload(track.slug, entry, sha256=SHA256, into_the_store=True, note=lambda _: None)

    assert (again.id, again.repeated) == (first.id, True)
