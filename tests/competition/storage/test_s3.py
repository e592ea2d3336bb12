"""Entries and datasets on a store that speaks the S3 protocol, over HTTP."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from competition.storage import stored_files
from competition.submissions import services
from competition.tracks.datasets import import_dataset_folder, materialise
from competition.tracks.models import Track
from competition.upkeep.orphans import SAFE_AGE, orphans
from scoring.errors import Fault
from scoring.sandbox.fake import FakeSandbox
from scoring.worker.site import SitePorts
from tests.examples import START, new_benchmark

BUCKET = "podium"
REGION = "us-east-1"

pytestmark = pytest.mark.django_db


def client_of(server: str) -> Any:
    """Return a client of the store."""
    import boto3

    return boto3.client("s3", endpoint_url=server, region_name=REGION)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    # It imports the descriptions of hundreds of services, which whoever only collects tests need not wait for.
    from moto.server import ThreadedMotoServer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def s3(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store_in(server, settings, monkeypatch)


def store_in(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the site store its files in a bucket of the server's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client_of(server).create_bucket(Bucket=BUCKET)
    options = {
        "bucket_name": BUCKET,
        "endpoint_url": server,
        "region_name": REGION,
        "default_acl": None,
        "file_overwrite": False,
        "querystring_auth": True,
    }
    s3_storage = {"BACKEND": "competition.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": s3_storage}


def stored_names(server: str) -> list[str]:
    client = client_of(server)
    return [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    for number in range(3):
        cv2.imwrite(str(root / f"{number}.png"), np.full((8, 8, 3), 70 * number, np.uint8))
    (root / "labels.csv").write_text("file,label\n0.png,0\n1.png,1\n2.png,1\n")
    return root


def submit(user: User, track: Track, content: bytes) -> str:
    upload = ContentFile(content, name="entry.zip")
    submission = services.accept_submission(
        participant=user, track=track, upload=upload, name="entry.zip", now=START
    )
    return str(submission.entry.name)


def ports(tmp_path: Path) -> SitePorts:
    return SitePorts(
        owner="w", queue="cpu", sandbox=FakeSandbox(scripts={}), cache=tmp_path / "cache", now=lambda: START
    )


def test_an_entry_is_stored_in_the_bucket_and_fetched_by_the_worker(
    alice: User, track: Track, folder: Path, server: str, tmp_path: Path
) -> None:
    track.dataset = import_dataset_folder(name="Three images", folder=folder)
    new_benchmark(track)
    content = bytes(range(256)) * 20_000
    name = submit(alice, track, content)
    worker = ports(tmp_path)

    assignment = worker.fetch(worker.claim(), workdir=tmp_path, tick=lambda: None)

    assert name in stored_names(server)
    assert assignment.entry.read_bytes() == content
    assert sorted(path.name for path in assignment.data.iterdir() if path.suffix == ".png") == [
        "0.png",
        "1.png",
        "2.png",
    ]


def test_an_entry_that_is_gone_from_the_bucket_is_our_fault(
    alice: User, track: Track, folder: Path, tmp_path: Path
) -> None:
    track.dataset = import_dataset_folder(name="Three images", folder=folder)
    new_benchmark(track)
    default_storage.delete(submit(alice, track, b"PK entry"))
    worker = ports(tmp_path)
    work = worker.claim()

    with pytest.raises(Fault):
        worker.fetch(work, workdir=tmp_path, tick=lambda: None)


def test_a_dataset_survives_the_way_through_the_bucket(folder: Path, tmp_path: Path) -> None:
    dataset = import_dataset_folder(name="Three images", folder=folder)

    fetched = materialise(dataset, tmp_path / "cache")

    for original in folder.iterdir():
        assert (fetched / original.name).read_bytes() == original.read_bytes()


def test_the_store_lists_its_files_with_their_sizes(alice: User, track: Track) -> None:
    submission = services.accept_submission(
        participant=alice, track=track, upload=ContentFile(b"weights"), name="e", now=START
    )
    default_storage.save("datasets/lost.zip", ContentFile(b"left"))

    name = str(submission.entry.name)
    assert (name, 7) in {(file.name, file.size) for file in stored_files("entries")}
    orphaned = {file.name for file in orphans(timezone.now() + 2 * SAFE_AGE)}
    assert ("datasets/lost.zip" in orphaned, name in orphaned) == (True, False)
    assert list(orphans(timezone.now())) == []
