"""Pictures of the demonstration's tracks, made from handwritten digits; the same for one seed.

Track 1 shows one digit in blue and one in red on paper; the class is 10 * blue + red, so a model
that mixes up the channel order reads the digits the wrong way round. Track 2 shows digits on parts
of photographs and asks which pictures were tampered with. Others show one digit, or a photograph
(real), digits on paper (synthetic) or a photograph with digits on it (semisynthetic).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from sklearn.datasets import load_sample_images

from competition.demo.digits import DigitSet, digits_of
from competition.demo.drawing import SIDE, Canvas, Picture, draw, finished, paper, two_boxes
from competition.demo.labels import halves, write_labels
from competition.demo.tampering import TAMPERINGS

SENSOR_NOISE = 2.0
BLUE_LOW, BLUE_HIGH = (180, 20, 0), (255, 90, 60)


class DemoTrack(StrEnum):
    """The tracks that have demonstration data, by their presets' names."""

    CLASSIFY = "cvpr2022-track1"
    DETECT = "cvpr2022-track2"
    DIGIT = "byom-classification"
    ORIGIN = "gasbench-onnx-image"


@dataclass(frozen=True)
class Sample:
    """One picture, (224, 224, BGR), with its label."""

    picture: Picture
    label: int


def make_samples(track: DemoTrack, split: DigitSet, samples: int, seed: int) -> Iterator[Sample]:
    """Yield samples; sample i depends on the seed and i alone, and labels are balanced."""
    for index in range(samples):
        random = np.random.default_rng([seed, *track.encode(), *split.encode(), index])
        yield _MAKERS[track](index, split, random)


def write_dataset(
    folder: Path, track: str, split: str, samples: int, seed: int, suffix: str = ".png"
) -> None:
    """Write pictures and, last, `labels.csv`; every second sample of each label is private."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    names, labels = [], []
    for index, sample in enumerate(make_samples(DemoTrack(track), DigitSet(split), samples, seed)):
        names.append(f"images/{index:05}{suffix}")
        labels.append(sample.label)
        (folder / names[-1]).write_bytes(cv2.imencode(suffix, sample.picture)[1].tobytes())
    write_labels(folder, ("file", "label", "split"), zip(names, labels, halves(labels), strict=True))


def _two_digits(index: int, split: DigitSet, random: np.random.Generator) -> Sample:
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


def _maybe_tampered(index: int, split: DigitSet, random: np.random.Generator) -> Sample:
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


def _one_digit(index: int, split: DigitSet, random: np.random.Generator) -> Sample:
    label = index % 10
    box = two_boxes(random)[0]
    colour = random.uniform(0, 120, 3).astype(np.float32)
    canvas = draw(paper(random), digits_of(split).pick(label, random), box, colour, random)
    return Sample(finished(canvas), label)


def _of_an_origin(index: int, split: DigitSet, random: np.random.Generator) -> Sample:
    real, synthetic = 0, 1
    label = index % 3
    canvas = paper(random) if label == synthetic else _part_of_a_photograph(random)
    for box in two_boxes(random) if label != real else ():
        colour = random.uniform(0, 255, 3).astype(np.float32)
        canvas = draw(canvas, digits_of(split).pick(int(random.integers(10)), random), box, colour, random)
    return Sample(finished(canvas), label)


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


_MAKERS = {
    DemoTrack.CLASSIFY: _two_digits,
    DemoTrack.DETECT: _maybe_tampered,
    DemoTrack.DIGIT: _one_digit,
    DemoTrack.ORIGIN: _of_an_origin,
}
