"""Ways to tamper with a picture, as they happen to real ones."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from competition.demo.drawing import SIDE, Picture

Tamper = Callable[[Picture, np.random.Generator], Picture]


def recompress(picture: Picture, random: np.random.Generator) -> Picture:
    """Save it as a poor JPEG and load it again."""
    quality = int(random.integers(8, 31))
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)


def blur(picture: Picture, random: np.random.Generator) -> Picture:
    """Smooth a region, as if to hide something in it."""
    smooth = cv2.GaussianBlur(picture, (0, 0), random.uniform(1.5, 3.0))
    return _with_region(picture, np.asarray(smooth, dtype=np.uint8), random)


def add_noise(picture: Picture, random: np.random.Generator) -> Picture:
    """Lay grain over a region, which covers the traces of other edits."""
    grain = random.normal(0, random.uniform(12, 25), picture.shape)
    noisy = np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8)
    return _with_region(picture, noisy, random)


def copy_move(picture: Picture, random: np.random.Generator) -> Picture:
    """Copy a patch of the picture over another place of it."""
    height, width = random.integers(64, 105, 2)
    moved = np.roll(picture, random.integers(40, SIDE - 40, 2).tolist(), axis=(0, 1))
    y, x = random.integers(0, SIDE - height + 1), random.integers(0, SIDE - width + 1)
    tampered = picture.copy()
    tampered[y : y + height, x : x + width] = moved[y : y + height, x : x + width]
    return tampered


def shift_rows(picture: Picture, random: np.random.Generator) -> Picture:
    """Push some bands of rows sideways, as broken transmissions do."""
    tampered = picture.copy()
    for _ in range(random.integers(2, 5)):
        top, rows = random.integers(0, SIDE - 40), random.integers(12, 40)
        offset = int(random.integers(6, 25)) * int(random.choice([-1, 1]))
        tampered[top : top + rows] = np.roll(tampered[top : top + rows], offset, axis=1)
    return tampered


TAMPERINGS: tuple[Tamper, ...] = (recompress, blur, add_noise, copy_move, shift_rows)


def _with_region(picture: Picture, changed: Picture, random: np.random.Generator) -> Picture:
    height, width = random.integers(SIDE // 2, SIDE + 1, 2)
    y, x = random.integers(0, SIDE - height + 1), random.integers(0, SIDE - width + 1)
    tampered = picture.copy()
    tampered[y : y + height, x : x + width] = changed[y : y + height, x : x + width]
    return tampered
