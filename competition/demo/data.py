"""Pictures of the demonstration's two tracks, made from handwritten digits; the same for one seed.

Track 1 shows one digit in blue and one in red on paper; the class is 10 * blue + red, so a model
that mixes up the channel order reads the digits the wrong way round. Track 2 shows digits on parts
of photographs and asks which pictures were tampered with.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from sklearn.datasets import load_sample_images

from competition.demo.digits import Split, digits_of
from competition.demo.drawing import SIDE, Canvas, Picture, draw, finished, paper, two_boxes
from competition.demo.tampering import TAMPERINGS

SENSOR_NOISE = 2.0
BLUE_LOW, BLUE_HIGH = (180, 20, 0), (255, 90, 60)


class DemoTrack(StrEnum):
    """The tracks that have demonstration data, by their presets' names."""

    CLASSIFY = "cvpr2022-track1"
    DETECT = "cvpr2022-track2"


@dataclass(frozen=True)
class Sample:
    """One picture, (224, 224, BGR), with its label."""

    picture: Picture
    label: int


def make_samples(track: DemoTrack, split: Split, samples: int, seed: int) -> Iterator[Sample]:
    """Yield samples; sample i depends on the seed and i alone, and labels are balanced."""
    for index in range(samples):
        random = np.random.default_rng([seed, *track.encode(), *split.encode(), index])
        yield _MAKERS[track](index, split, random)


def write_dataset(folder: Path, track: str, split: str, samples: int, seed: int) -> None:
    """Write PNG files and, last, `labels.csv`; every second sample of each label is private."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    seen: Counter[int] = Counter()
    rows = []
    for index, sample in enumerate(make_samples(DemoTrack(track), Split(split), samples, seed)):
        name = f"images/{index:05}.png"
        (folder / name).write_bytes(cv2.imencode(".png", sample.picture)[1].tobytes())
        seen[sample.label] += 1
        rows.append((name, sample.label, "public" if seen[sample.label] % 2 else "private"))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(("file", "label", "split"))
        table.writerows(rows)


def _two_digits(index: int, split: Split, random: np.random.Generator) -> Sample:
    label = index % 100
    blue, red = divmod(label, 10)
    digits = digits_of(split)
    blue_box, red_box = two_boxes(random)
    strokes = [
        (digits.pick(blue, random), blue_box, random.uniform(BLUE_LOW, BLUE_HIGH)),
        (digits.pick(red, random), red_box, random.uniform(BLUE_LOW, BLUE_HIGH)[::-1]),
    ]
    canvas = paper(random)
    for number in random.permutation(2):
        ink, box, colour = strokes[number]
        canvas = draw(canvas, ink, box, colour.astype(np.float32), random)
    return Sample(finished(canvas), label)


def _maybe_tampered(index: int, split: Split, random: np.random.Generator) -> Sample:
    digits = digits_of(split)
    canvas = _part_of_a_photograph(random)
    for box in two_boxes(random):
        colour = random.uniform(0, 255, 3).astype(np.float32)
        canvas = draw(canvas, digits.pick(int(random.integers(10)), random), box, colour, random)
    clean = finished(canvas + SENSOR_NOISE * random.standard_normal(canvas.shape, dtype=np.float32))
    label = index % 2
    if not label:
        return Sample(clean, label)
    tamper = TAMPERINGS[(index // 2) % len(TAMPERINGS)]
    return Sample(tamper(clean, random), label)


def _part_of_a_photograph(random: np.random.Generator) -> Canvas:
    photograph = _photographs()[random.integers(2)]
    side = int(random.integers(SIDE, 421))
    y = int(random.integers(0, photograph.shape[0] - side + 1))
    x = int(random.integers(0, photograph.shape[1] - side + 1))
    part = cv2.resize(photograph[y : y + side, x : x + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    mirrored = part[:, ::-1] if random.random() < 0.5 else part
    return np.asarray(mirrored, dtype=np.float32) * np.float32(random.uniform(0.7, 1.1))


@lru_cache(maxsize=1)
def _photographs() -> tuple[Picture, ...]:
    return tuple(picture[:, :, ::-1].copy() for picture in load_sample_images().images)


_MAKERS = {DemoTrack.CLASSIFY: _two_digits, DemoTrack.DETECT: _maybe_tampered}
