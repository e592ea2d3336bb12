"""Small labelled datasets for golden cases; `data` in a case names one, else it is the plain one of the reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from scoring.contracts import Reader
from tests.media_files import grey_frames, sine, write_labels, write_sound, write_video

ORIENTATION: Final = 0x0112
UPSIDE_DOWN: Final = 3
RED, BLUE, WHITE = (200, 30, 30), (30, 30, 200), (255, 255, 255)


def plain_images(folder: Path, labels: list[int]) -> Path:
    """Make one plain image for each label; its brightness is the label."""
    for number, label in enumerate(labels):
        Image.new("RGB", (16, 16), (label, label, label)).save(folder / f"{number}.png")
    return write_labels(folder, {f"{number}.png": label for number, label in enumerate(labels)})


def plain_clips(folder: Path, labels: list[int]) -> Path:
    """Make one plain clip for each label; its brightness is 100 times the label."""
    for number, label in enumerate(labels):
        write_video(folder / f"{number}.mp4", grey_frames([100 * label] * 3))
    return write_labels(folder, {f"{number}.mp4": label for number, label in enumerate(labels)})


def tones(folder: Path, labels: list[int]) -> Path:
    """Make one tone for each label, half a second long; its pitch is 500 Hz, and 1,000 more a label."""
    for number, label in enumerate(labels):
        tone = sine(500 + 1_000 * label, seconds=0.5, rate=22_050)
        write_sound(folder / f"{number}.flac", tone, rate=22_050, codec="flac")
    return write_labels(folder, {f"{number}.flac": label for number, label in enumerate(labels)})


def red_and_blue_clips(folder: Path, labels: list[int]) -> Path:
    """Make one clip for each label: 1 is red, 0 is blue."""
    for number, label in enumerate(labels):
        frame = np.full((48, 64, 3), RED if label else BLUE, np.uint8)
        write_video(folder / f"{number}.mp4", [frame] * 3)
    return write_labels(folder, {f"{number}.mp4": label for number, label in enumerate(labels)})


def stereo_tones(folder: Path, labels: list[int]) -> Path:
    """Make a tone that both channels hold, loud for 1: its mean stays below 1, FFmpeg's mix goes beyond."""
    for number, label in enumerate(labels):
        tone = sine(500, seconds=0.5, rate=44_100, amplitude=0.9 if label else 0.6)
        write_sound(folder / f"{number}.wav", np.stack([tone, tone]), rate=44_100)
    return write_labels(folder, {f"{number}.wav": label for number, label in enumerate(labels)})


def framed_images(folder: Path, labels: list[int]) -> Path:
    """Make one plain image for each label within a white frame of 16 pixels: cutting 224 out of 256 takes it off."""
    for number, label in enumerate(labels):
        picture = Image.new("RGB", (256, 256), WHITE)
        picture.paste((label, label, label), (16, 16, 240, 240))
        picture.save(folder / f"{number}.png")
    return write_labels(folder, {f"{number}.png": label for number, label in enumerate(labels)})


def turned_images(folder: Path, labels: list[int]) -> Path:
    """Make pictures whose stored upper half is white for 1 and black for 0; their EXIF data turn them over."""
    exif = Image.Exif()
    exif[ORIENTATION] = UPSIDE_DOWN
    for number, label in enumerate(labels):
        picture = Image.new("RGB", (48, 32))
        picture.paste(WHITE, (0, 0, 48, 16) if label else (0, 16, 48, 32))
        picture.save(folder / f"{number}.png", exif=exif)
    return write_labels(folder, {f"{number}.png": label for number, label in enumerate(labels)})


PLAIN: Final[Mapping[Reader, str]] = {
    Reader.IMAGE: "plain images",
    Reader.VIDEO: "plain clips",
    Reader.AUDIO: "tones",
}
DATA: Final[Mapping[str, Callable[[Path, list[int]], Path]]] = {
    "plain images": plain_images,
    "plain clips": plain_clips,
    "tones": tones,
    "red and blue clips": red_and_blue_clips,
    "stereo tones": stereo_tones,
    "framed images": framed_images,
    "turned images": turned_images,
}
