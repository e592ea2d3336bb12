"""Corners of the readers: damaged, empty and odd files, and copies that change nothing."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from scoring.contracts import InputContract, Orientation, Reader
from scoring.data.labels import read_labels
from scoring.errors import Fault
from scoring.readers import audio, copies, image, robustness, video
from scoring.readers.copies import Treatment, write_copy
from scoring.readers.truth import given_size, read_mask
from scoring.readers.undecodable import Undecodable
from tests.media_files import sine, write_sound

IMAGE = InputContract(shape=(3, 8, 12))
VIDEO = InputContract(reader=Reader.VIDEO, shape=(4, 3, 24, 32))
AUDIO = InputContract(reader=Reader.AUDIO, shape=(4_000,))


@pytest.fixture
def frameless(tmp_path: Path) -> Path:
    """Return a whole AVI file whose video stream holds nothing."""
    path = tmp_path / "empty.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
        container.start_encoding()
    return path


# --- pictures


@pytest.mark.parametrize(("reader", "contract"), [(image, IMAGE), (video, VIDEO), (audio, AUDIO)])
def test_a_dataset_without_labels_is_a_fault(reader, contract: InputContract, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="the dataset cannot be used"):
        reader.prepare(tmp_path, contract=contract, cache=tmp_path / "cache")


def test_a_picture_that_claims_to_be_enormous_is_not_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))
        )

    header = struct.pack(">2L5B", 2**17, 2**17, 8, 2, 0, 0, 0)
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )

    with pytest.raises(image.UndecodableImage, match="too large or damaged"):
        image.decode(bomb, IMAGE)


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_file_that_is_no_picture_is_not_decoded(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(content)

    with pytest.raises(image.UndecodableImage):
        image.decode(tmp_path / "x.png", IMAGE)


def test_a_picture_that_no_jpeg_can_hold_is_not_worn() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        robustness.wear_picture(np.zeros((2, 140_000, 3), np.uint8))


# --- masks and boxes


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    Image.new("RGB", (12, 8)).save(folder / "0.png")
    Image.fromarray(np.arange(96, dtype=np.uint8).reshape(8, 12)).save(folder / "m0.png")
    (folder / "labels.csv").write_text("file,mask\n0.png,m0.png\n")
    return folder


def test_a_mask_of_the_inputs_size_stays_as_it_is(masks: Path) -> None:
    mask = read_mask(masks, read_labels(masks).rows[0], InputContract(shape=(3, 8, 12)))

    assert np.array_equal(mask, np.arange(96).reshape(8, 12))


def test_a_mask_of_colours_is_found(masks: Path) -> None:
    Image.new("RGB", (12, 8)).save(masks / "m0.png")

    with pytest.raises(Fault, match="row 1 of the dataset: the mask has colours instead of class numbers"):
        read_mask(masks, read_labels(masks).rows[0], InputContract(shape=(3, 8, 12)))


def test_a_row_without_boxes_is_found(masks: Path, tmp_path: Path) -> None:
    (masks / "labels.csv").write_text("file\n0.png\n")
    document = {
        "images": [{"id": 0, "file_name": "0.png", "width": 12, "height": 8}],
        "annotations": [],
        "categories": [{"id": 0, "name": "thing"}],
    }
    (masks / "annotations.json").write_text(json.dumps(document))
    table = read_labels(masks)
    bare = replace(table, rows=tuple(replace(row, picture=None) for row in table.rows))

    with pytest.raises(Fault, match="row 1 of the dataset has no boxes"):
        image.prepare(masks, contract=IMAGE, cache=tmp_path / "cache", table=bare)


def test_a_picture_whose_size_cannot_be_read_is_a_fault(masks: Path) -> None:
    (masks / "0.png").write_bytes(b"no picture")

    with pytest.raises(Fault, match="cannot be read"):
        given_size(masks / "0.png", Orientation.UPRIGHT)


# --- clips and sounds


def test_a_clip_without_a_frame_is_not_decoded(frameless: Path) -> None:
    with pytest.raises(Undecodable, match="no frame"):
        video.decode(frameless, VIDEO)


def test_a_clip_without_a_frame_is_not_copied(frameless: Path, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="has no frames"):
        write_copy(frameless, tmp_path / "copy", VIDEO, Treatment(worn=True), seed=0)


def test_a_sound_whose_rate_changes_is_not_decoded(tmp_path: Path) -> None:
    pieces = [
        write_sound(tmp_path / f"{rate}.aac", sine(440, seconds=0.5, rate=rate), rate=rate, codec="aac")
        for rate in (16_000, 44_100)
    ]
    both = tmp_path / "both.aac"
    both.write_bytes(b"".join(piece.read_bytes() for piece in pieces))

    with pytest.raises(Undecodable, match="rate changes"):
        audio.decode(both, AUDIO)


# --- copies


@pytest.mark.parametrize(
    ("treatment", "changes"),
    [
        (Treatment(), False),
        (Treatment(level=1), True),
        (Treatment(crop_probability=0.1), True),
        (Treatment(worn=True), True),
    ],
)
def test_a_treatment_knows_whether_it_changes_anything(treatment: Treatment, changes: bool) -> None:
    assert treatment.changes_anything is changes


def test_a_sound_that_is_not_worn_is_copied_as_it_is(tmp_path: Path) -> None:
    sound = sine(440, seconds=0.25, rate=16_000)
    wavfile.write(tmp_path / "tone.wav", 16_000, sound)

    copied = write_copy(tmp_path / "tone.wav", tmp_path / "copy", AUDIO, Treatment(), seed=0)

    assert np.array_equal(wavfile.read(copied)[1], sound)


def test_a_build_without_the_codec_of_the_suite_says_so(
    frameless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "VIDEO_CODEC", "no-such-codec")

    with pytest.raises(Fault, match="no no-such-codec"):
        write_copy(frameless, tmp_path / "copy", VIDEO, Treatment(worn=True), seed=0)
