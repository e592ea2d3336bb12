"""Pictures of digits with the class of each pixel, or with a box around each; the same for one seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from competition.demo.digits import DigitSet, digits_of
from competition.demo.drawing import (
    INK_OPACITY,
    SIDE,
    Picture,
    finished,
    paint,
    paper,
    placed,
    two_boxes,
)
from competition.demo.labels import halves, write_labels

# Blue, green, red.
INKS: Final = {
    "blue": (220, 60, 20),
    "green": (40, 150, 30),
    "red": (30, 30, 210),
    "black": (25, 25, 25),
    "cyan": (200, 180, 20),
    "magenta": (190, 40, 200),
    "brown": (20, 60, 110),
    "orange": (10, 130, 240),
}
DIGITS: Final = 10
PAPER, BLUE, RED = 0, 1, 2


def write_mask_dataset(folder: Path, samples: int, seed: int, suffix: str = ".png") -> None:
    """Write pictures of a blue and a red digit, masks of paper, blue and red ink, and `labels.csv`."""
    images, masks = _below(folder, "images", samples, suffix), _below(folder, "masks", samples, ".png")
    for index, (image, mask) in enumerate(zip(images, masks, strict=True)):
        random = np.random.default_rng([seed, *b"masks", index])
        picture, classes = _blue_and_red(random)
        _write(folder / image, picture)
        _write(folder / mask, classes)
    rows = zip(images, masks, halves(PAPER for _ in images), strict=True)
    write_labels(folder, ("file", "mask", "split"), rows)


def write_box_dataset(folder: Path, samples: int, seed: int, suffix: str = ".png") -> None:
    """Write pictures of two digits, COCO's `annotations.json` of 80 classes (ink, digit), and `labels.csv`."""
    images = _below(folder, "images", samples, suffix)
    annotations: list[dict[str, Any]] = []
    for index, image in enumerate(images):
        random = np.random.default_rng([seed, *b"boxes", index])
        picture, boxes = _two_inks(random)
        _write(folder / image, picture)
        annotations += [{**box, "image_id": index, "iscrowd": 0} for box in boxes]
    document = {
        "images": [
            {"id": index, "file_name": image, "width": SIDE, "height": SIDE}
            for index, image in enumerate(images)
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(class_names())],
        "annotations": [{"id": number, **annotation} for number, annotation in enumerate(annotations)],
    }
    (folder / "annotations.json").write_text(json.dumps(document) + "\n")
    write_labels(folder, ("file", "split"), zip(images, halves(PAPER for _ in images), strict=True))


def class_names() -> Iterator[str]:
    """Yield the classes of boxes in their order."""
    return (f"{ink} {digit}" for ink in INKS for digit in range(DIGITS))


def _blue_and_red(random: np.random.Generator) -> tuple[Picture, NDArray[np.uint8]]:
    canvas, classes = paper(random), np.full((SIDE, SIDE), PAPER, np.uint8)
    for name, number, box in zip(("blue", "red"), (BLUE, RED), two_boxes(random), strict=True):
        digit = digits_of(DigitSet.HIDDEN).pick(int(random.integers(DIGITS)), random)
        opacity = placed(digit, box, random)
        canvas = paint(canvas, opacity, np.array(INKS[name], np.float32))
        classes[_is_ink(opacity)] = number
    return finished(canvas), classes


def _two_inks(random: np.random.Generator) -> tuple[Picture, list[dict[str, Any]]]:
    canvas, found = paper(random), []
    for box in two_boxes(random):
        ink, digit = random.integers(len(INKS)), random.integers(DIGITS)
        opacity = placed(digits_of(DigitSet.HIDDEN).pick(int(digit), random), box, random)
        canvas = paint(canvas, opacity, np.array(list(INKS.values())[ink], np.float32))
        bounds = [int(side) for side in cv2.boundingRect(_is_ink(opacity).astype(np.uint8))]
        category = int(ink * DIGITS + digit)
        found.append({"category_id": category, "bbox": bounds, "area": bounds[2] * bounds[3]})
    return finished(canvas), found


def _is_ink(opacity: NDArray[np.float32]) -> NDArray[np.bool_]:
    return opacity > INK_OPACITY / 2


def _below(folder: Path, name: str, samples: int, suffix: str) -> list[str]:
    (folder / name).mkdir(parents=True, exist_ok=True)
    return [f"{name}/{index:05}{suffix}" for index in range(samples)]


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
