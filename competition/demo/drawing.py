"""Backgrounds, and digits drawn on them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 224
SMALLEST, LARGEST = 72, 112
MAX_TILT_DEGREES = 12.0
MAX_OVERLAP = 0.3
INK_OPACITY = 0.85

Picture = NDArray[np.uint8]
Canvas = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """Where a digit is drawn."""

    x: int
    y: int
    side: int

    def overlap(self, other: Box) -> float:
        """Return the shared area as a share of the smaller box."""
        width = min(self.x + self.side, other.x + other.side) - max(self.x, other.x)
        height = min(self.y + self.side, other.y + other.side) - max(self.y, other.y)
        return max(0, width) * max(0, height) / min(self.side, other.side) ** 2


def two_boxes(random: np.random.Generator) -> tuple[Box, Box]:
    """Return two random places that overlap so little that both digits stay legible."""
    while True:
        first, second = _box(random), _box(random)
        if first.overlap(second) <= MAX_OVERLAP:
            return first, second


def paper(random: np.random.Generator) -> Canvas:
    """Return a light background of its own tint, with soft stains and a few faint lines."""
    tint = random.uniform(170, 240) + random.uniform(-14, 14, 3)
    stains = random.normal(0, 1, (7, 7, 3)) * random.uniform(4, 18)
    canvas = tint + cv2.resize(stains, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    for _ in range(random.integers(0, 5)):
        ends = random.integers(0, SIDE, (2, 2))
        shade = (tint - random.uniform(20, 60)).tolist()
        cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), shade, 1, cv2.LINE_AA)
    return np.asarray(np.clip(canvas, 0, 255), dtype=np.float32)


def draw(
    canvas: Canvas, ink: NDArray[np.float32], box: Box, colour: Canvas, random: np.random.Generator
) -> Canvas:
    """Return the canvas with one digit on it, slightly tilted."""
    return paint(canvas, placed(ink, box, random), colour)


def placed(ink: NDArray[np.float32], box: Box, random: np.random.Generator) -> NDArray[np.float32]:
    """Return how opaque one digit is at each pixel, slightly tilted."""
    scale = box.side / ink.shape[0]
    tilt = random.uniform(-MAX_TILT_DEGREES, MAX_TILT_DEGREES)
    turn = np.asarray(cv2.getRotationMatrix2D((3.5, 3.5), tilt, scale), dtype=np.float64)
    turn[:, 2] += np.array((box.x, box.y)) + (box.side / 2 - 3.5)
    coverage = cv2.warpAffine(ink, turn, (SIDE, SIDE), flags=cv2.INTER_CUBIC)
    return np.asarray(np.clip((coverage - 0.25) * 2.5, 0, 1) * INK_OPACITY, dtype=np.float32)


def paint(canvas: Canvas, opacity: NDArray[np.float32], colour: Canvas) -> Canvas:
    """Return the canvas with a colour laid over it, computed only where there is any."""
    x, y, width, height = cv2.boundingRect((opacity > 0).astype(np.uint8))
    where = np.s_[y : y + height, x : x + width]
    alpha = opacity[where][:, :, None]
    painted = canvas.copy()
    painted[where] = canvas[where] * (1 - alpha) + colour * alpha
    return painted


def finished(canvas: Canvas) -> Picture:
    """Return the canvas as 8-bit values."""
    return np.asarray(np.clip(np.rint(canvas), 0, 255), dtype=np.uint8)


def _box(random: np.random.Generator) -> Box:
    side = int(random.integers(SMALLEST, LARGEST + 1))
    x, y = random.integers(0, SIDE - side + 1, 2).tolist()
    return Box(x, y, side)
