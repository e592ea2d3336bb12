"""A competition, small datasets on disk, and tracks that are ready or that lack one thing."""

from __future__ import annotations

import csv
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from competition.tracks import services
from competition.tracks.models import Competition, Dataset, Track
from scoring.tracks import load_track


def png(value: int) -> bytes:
    """Return a PNG of one grey pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixel = zlib.compress(bytes((0, value)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


@pytest.fixture(autouse=True)
def files(settings, tmp_path: Path) -> Path:
    """Keep stored files in a folder of the test's own."""
    settings.MEDIA_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a data folder with one image a row; rows are (label, split)."""

    def make(*rows: tuple[int, str], name: str = "hidden") -> Path:
        folder = tmp_path / name
        (folder / "images").mkdir(parents=True)
        with (folder / "labels.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("file", "label", "split"))
            for number, (label, split) in enumerate(rows):
                (folder / "images" / f"{number:03}.png").write_bytes(png(number))
                writer.writerow((f"images/{number:03}.png", label, split))
        return folder

    return make


@pytest.fixture
def folder(make_folder: Callable[..., Path]) -> Path:
    """A folder that fits track 1: labels 0, 1 and 99, two splits."""
    return make_folder((0, "public"), (1, "public"), (1, "private"), (99, "private"))


@pytest.fixture
def competition(db) -> Competition:
    return Competition.objects.create(slug="cvpr2022", name="CVPR 2022")


@pytest.fixture
def dataset(competition: Competition, folder: Path) -> Dataset:
    return services.import_dataset_folder(name="hidden", folder=folder, competition=competition)


@pytest.fixture
def track(competition: Competition, dataset: Dataset) -> Track:
    """A closed track that passes every check."""
    document = load_track("cvpr2022-track1")
    return services.bring_in_line(document=document, competition=competition, dataset=dataset).track
