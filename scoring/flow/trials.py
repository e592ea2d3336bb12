"""Draws samples that nobody could know beforehand: those that ship with Podium, flipped, shifted and scaled."""

from __future__ import annotations

import secrets
from typing import Final

import numpy as np
from numpy.typing import NDArray

TRIALS: Final = 3
BRIGHTEST: Final = 255
LEAST_SHARE: Final = 0.5
"""The smallest part of a sample's range of values that is left of it."""

Samples = NDArray[np.generic]


def draw(samples: Samples) -> Samples:
    """Return `TRIALS` samples of the same shape and type, each made of one of these."""
    rng = np.random.default_rng(secrets.randbits(128))
    return np.stack([_changed(samples[place % len(samples)], rng) for place in range(TRIALS)])


def _changed(sample: Samples, rng: np.random.Generator) -> Samples:
    """Flip and shift along the last two axes, mix with another shift, and narrow the range of values."""
    axes = tuple(range(sample.ndim))[-2:]
    for axis in axes:
        sample = np.flip(sample, axis) if rng.random() < 0.5 else sample
    moved = [
        np.roll(sample, [int(rng.integers(sample.shape[axis])) for axis in axes], axes) for _ in range(2)
    ]
    share = rng.uniform()
    mixed = share * moved[0].astype(np.float64) + (1 - share) * moved[1].astype(np.float64)
    mixed *= rng.uniform(LEAST_SHARE, 1)
    if sample.dtype == np.uint8:
        mixed = np.clip(np.rint(mixed), 0, BRIGHTEST)
    return mixed.astype(sample.dtype)
