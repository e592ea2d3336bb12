"""GASBench's own preprocessing on generated media, against the arrays that models get on its presets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import InputContract
from scoring.readers import audio, image, video
from scoring.tracks import load_track
from tests.media_files import write_sound, write_video
from tests.peers.conftest import Run
from tests.peers.pictures import painting, write_pictures

LOSSLESS = {"pcm_s16le": "wav", "pcm_u8": "wav", "pcm_f32le": "wav", "pcm_s24le": "wav", "flac": "flac"}
# MP3 is equal too; FFmpeg decodes AAC and Opus a little differently from release to release.
LOSSY = {"libmp3lame": ("mp3", 0.0), "aac": ("m4a", 1e-6), "libopus": ("ogg", 1e-6)}
RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
OF_OPUS = {8_000, 16_000, 24_000, 48_000}
CLIPS = {
    "b-frames.mp4": {"codec": "libx264", "options": {"bf": "3"}},
    "b-frames.mkv": {"codec": "libx264", "options": {"bf": "3"}},
    "plain.mov": {"codec": "libx264"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "sixty.mp4": {"codec": "libx264", "rate": 60},
    "turned-90.mp4": {"codec": "libx264", "rotation": 90},
    "turned-180.mp4": {"codec": "libx264", "rotation": 180},
}


def of(preset: str, *shape: int) -> InputContract:
    return replace(load_track(preset).spec.input, shape=shape)


@pytest.mark.parametrize("size", [(224, 224), (160, 240), (384, 96)])
def test_pictures_are_equal_to_the_bit(gasbench: Run, tmp_path: Path, size: tuple[int, int]) -> None:
    files = write_pictures(tmp_path)

    theirs = gasbench([{"do": "picture", "file": str(file), "size": size} for file in files])

    contract = of("gasbench-image", 3, *size)
    different = [
        file.name
        for file, planes in zip(files, theirs, strict=True)
        if not np.array_equal(image.decode(file, contract), planes)
    ]
    assert different == []


@pytest.mark.parametrize(("frames", "rate"), [(16, None), (8, None), (8, 5.0), (64, 12.0)])
def test_clips_are_equal_to_the_bit(gasbench: Run, tmp_path: Path, frames: int, rate: float | None) -> None:
    shown = [np.roll(np.asarray(painting(120, 160)), 3 * number, axis=1) for number in range(40)]
    files = [write_video(tmp_path / name, shown, **how) for name, how in CLIPS.items()]
    files.append(write_video(tmp_path / "one-frame.mp4", shown[:1]))

    theirs = gasbench(
        [
            {"do": "clip", "file": str(file), "size": (96, 112), "frames": frames, "rate": rate}
            for file in files
        ]
    )

    contract = replace(of("gasbench-video", frames, 3, 96, 112), frame_rate=rate)
    different = [
        file.name
        for file, clip in zip(files, theirs, strict=True)
        if not np.array_equal(video.decode(file, contract), clip)
    ]
    assert different == []


def noise(channels: int, rate: int, *, loud: float) -> np.ndarray:
    """Return seven seconds of noise, which are cut, or two, which are filled up; loud ones leave the range mixed."""
    seconds = 7 if channels == 2 else 2
    return np.random.default_rng(rate).uniform(-loud, loud, (channels, seconds * rate))


@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_sounds_are_equal_to_the_bit(gasbench: Run, tmp_path: Path, channels: int) -> None:
    files = [
        write_sound(
            tmp_path / f"{codec}-{rate}.{suffix}", noise(channels, rate, loud=0.95), rate=rate, codec=codec
        )
        for codec, suffix in LOSSLESS.items()
        for rate in RATES
    ]

    theirs = gasbench([{"do": "sound", "file": str(file)} for file in files])

    contract = load_track("gasbench-audio").spec.input
    different = [
        file.name
        for file, sound in zip(files, theirs, strict=True)
        if not np.array_equal(audio.decode(file, contract), sound)
    ]
    assert different == []


@pytest.mark.parametrize("codec", LOSSY)
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_sounds_are_equal_up_to_how_ffmpegs_releases_decode(
    gasbench: Run, tmp_path: Path, codec: str, channels: int
) -> None:
    suffix, largest = LOSSY[codec]
    rates = [rate for rate in RATES if codec != "libopus" or rate in OF_OPUS]
    files = [
        write_sound(tmp_path / f"{rate}.{suffix}", noise(channels, rate, loud=0.5), rate=rate, codec=codec)
        for rate in rates
    ]

    theirs = gasbench([{"do": "sound", "file": str(file)} for file in files])

    contract = load_track("gasbench-audio").spec.input
    for file, sound in zip(files, theirs, strict=True):
        assert np.abs(audio.decode(file, contract) - sound).max() <= largest, file.name
