"""Treated copies: read back by the readers themselves, the same bytes for the same seed."""

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from scipy.io import wavfile

from scoring.contracts import InputContract, Reader
from scoring.errors import Fault
from scoring.readers import audio, image, video
from scoring.readers.augmentation import change, draw
from scoring.readers.copies import Treatment, contract_of_copies, write_copy
from scoring.readers.fitting import fit
from scoring.readers.robustness import wear_picture, wear_sound
from scoring.readers.undecodable import Undecodable

IMAGE = InputContract(shape=(3, 24, 32))
VIDEO = InputContract(reader=Reader.VIDEO, shape=(4, 3, 24, 32), frame_rate=10)
AUDIO = InputContract(reader=Reader.AUDIO, shape=(4_000,))
WORN, RANDOM = Treatment(worn=True), Treatment(level=3, crop_probability=0.5)


def fitted(picture: np.ndarray) -> np.ndarray:
    return fit(picture, IMAGE)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Twenty frames of 48 x 64 at 30 a second; frame i is grey of 10 i."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "bgr0"
        for number in range(20):
            frame = np.full((48, 64, 3), 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.wav"
    wavfile.write(path, 16_000, np.random.default_rng(0).uniform(-1, 1, 5_000).astype(np.float32))
    return path


def test_a_worn_picture_is_kept_as_it_was_worn(picture: Path, tmp_path: Path) -> None:
    copy = write_copy(picture, tmp_path / "copy", IMAGE, WORN, seed=1)

    assert np.array_equal(image.read_picture(copy, IMAGE), wear_picture(image.read_picture(picture, IMAGE)))


def test_a_changed_picture_is_the_one_of_its_seed(picture: Path, tmp_path: Path) -> None:
    copy = write_copy(picture, tmp_path / "copy", IMAGE, RANDOM, seed=5)

    changes = draw(level=3, seed=5, crop_probability=0.5)
    (expected,) = change([image.read_picture(picture, IMAGE)], changes, fit=fitted)
    assert np.array_equal(image.read_picture(copy, IMAGE), expected)


def test_a_copy_is_cropped_as_often_as_asked(picture: Path, tmp_path: Path) -> None:
    always = Treatment(crop_probability=1.0)

    copy = write_copy(picture, tmp_path / "copy", IMAGE, always, seed=1)

    changes = draw(level=0, seed=1, crop_probability=1.0)
    (expected,) = change([cv2.imread(str(picture))], changes, fit=fitted)
    assert changes.crop is not None
    np.testing.assert_array_equal(cv2.imread(str(copy)), expected)


def test_a_build_without_the_codec_that_wears_clips_is_our_fault(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(av, "codecs_available", set())

    with pytest.raises(Fault, match="libx264"):
        write_copy(clip, tmp_path / "copy", VIDEO, WORN, seed=1)


def test_a_picture_is_worn_at_its_own_size_before_it_is_changed(picture: Path, tmp_path: Path) -> None:
    copy = write_copy(picture, tmp_path / "copy", IMAGE, replace(RANDOM, worn=True), seed=5)

    changes = draw(level=3, seed=5, crop_probability=0.5)
    (expected,) = change([wear_picture(image.read_picture(picture, IMAGE))], changes, fit=fitted)
    assert np.array_equal(image.read_picture(copy, IMAGE), expected)


def test_a_worn_clip_is_changed_as_an_unworn_one_is(clip: Path, tmp_path: Path) -> None:
    plain = write_copy(clip, tmp_path / "plain", VIDEO, Treatment(level=1), seed=2)
    worn = write_copy(clip, tmp_path / "worn", VIDEO, Treatment(level=1, worn=True), seed=2)

    contract = contract_of_copies(VIDEO, WORN)
    difference = video.decode(worn, contract).astype(int) - video.decode(plain, contract)
    assert worn.suffix == ".mkv"
    assert 0 < np.abs(difference).max() <= 4


def test_a_changed_clip_holds_the_frames_that_count_without_loss(clip: Path, tmp_path: Path) -> None:
    copy = write_copy(clip, tmp_path / "copy", VIDEO, Treatment(level=1), seed=1)

    assert np.array_equal(video.decode(copy, contract_of_copies(VIDEO, WORN)), video.decode(clip, VIDEO))


def test_a_worn_clip_is_h264_and_nearly_the_same_grey(clip: Path, tmp_path: Path) -> None:
    copy = write_copy(clip, tmp_path / "copy", VIDEO, WORN, seed=1)

    with av.open(str(copy)) as container:
        stream = container.streams.video[0]
        found = (stream.codec_context.name, stream.height, stream.width, stream.average_rate, stream.frames)
    assert found == ("h264", 48, 64, 25, 4)
    difference = video.decode(copy, contract_of_copies(VIDEO, WORN)).astype(int) - video.decode(clip, VIDEO)
    assert np.abs(difference).max() <= 4


def test_a_worn_sound_is_kept_as_it_was_worn(sound: Path, tmp_path: Path) -> None:
    copy = write_copy(sound, tmp_path / "copy", AUDIO, WORN, seed=9)

    expected = wear_sound(audio.decode(sound, AUDIO), rate=16_000, seed=9)
    assert np.array_equal(audio.read_sound(copy, AUDIO), expected)
    assert len(expected) == 4_000


@pytest.mark.parametrize("treatment", [WORN, RANDOM])
@pytest.mark.parametrize("kind", ["picture", "clip"])
def test_the_same_seed_gives_the_same_bytes(
    kind: str, treatment: Treatment, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source, contract = request.getfixturevalue(kind), IMAGE if kind == "picture" else VIDEO

    one = write_copy(source, tmp_path / "one", contract, treatment, seed=3)
    other = write_copy(source, tmp_path / "other", contract, treatment, seed=3)

    assert one.read_bytes() == other.read_bytes()


def test_sound_has_no_random_changes(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="pictures and clips"):
        write_copy(sound, tmp_path / "copy", AUDIO, RANDOM, seed=1)


def test_a_copy_that_cannot_be_written_is_a_fault(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="cannot be copied"):
        write_copy(clip, tmp_path / "nowhere" / "copy", VIDEO, WORN, seed=1)


@pytest.mark.parametrize("contract", [IMAGE, VIDEO, AUDIO])
def test_a_damaged_source_is_told_as_such(contract: InputContract, tmp_path: Path) -> None:
    (tmp_path / "damaged").write_bytes(b"no medium at all")

    with pytest.raises(Undecodable):
        write_copy(tmp_path / "damaged", tmp_path / "copy", contract, WORN, seed=1)
