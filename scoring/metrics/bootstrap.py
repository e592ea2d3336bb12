"""Intervals of ratios of sums over images: images are drawn again and again, with a fixed seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

DRAWS: Final = 1000
# Bounds the matrix of draws, so that memory does not grow with the dataset.
DRAWS_AT_ONCE: Final = 50
SEED: Final = 0

Sums = NDArray[np.int64]


def interval(
    per_image: Sums, statistic: Callable[[NDArray[np.float64]], float], value: float
) -> tuple[float, float]:
    """Return the 95% percentile interval of a statistic of column sums, widened to hold `value`.

    `per_image` is (images, columns). One image alone says nothing of the spread: [0, 1].
    """
    images = len(per_image)
    if images < 2:
        return 0.0, 1.0
    random = np.random.default_rng(SEED)
    shares = np.full(images, 1 / images)
    sums = per_image.astype(np.float64)
    found: list[float] = []
    while len(found) < DRAWS:
        times = random.multinomial(images, shares, size=DRAWS_AT_ONCE)
        found += [statistic(row) for row in times @ sums]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return min(value, float(low)), max(value, float(high))
