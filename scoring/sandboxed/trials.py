"""What a rewritten model is compared on: the samples, and pictures far from them.

A model whose branch depends on what it sees takes the same one for all four samples, maybe. Their
negatives, black, white and noise are there to take the others.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scoring.sandboxed.inputs import Pixels, groups, pad
from scoring.sandboxed.loaders.torch_entry import TorchEntry

# Two engines round differently; beyond this they compute something else.
TOLERANCE: Final = 1e-2
ROUNDING: Final = 1e-3
NOISY: Final = 2
BRIGHTEST: Final = 255


def trials(pixels: Pixels) -> Pixels:
    """Return the samples, each one's negative, a black picture, a white one, and noise."""
    if pixels.dtype != np.uint8:
        return np.concatenate([pixels, -pixels])
    ends = np.stack([np.full(pixels.shape[1:], value, np.uint8) for value in (0, BRIGHTEST)])
    noise = np.random.default_rng(0).integers(0, 256, (NOISY, *pixels.shape[1:]), dtype=np.uint8)
    return np.concatenate([pixels, BRIGHTEST - pixels, ends, noise])


def answers(entry: TorchEntry, pixels: Pixels, size: int) -> NDArray[Any]:
    """Return the module's own numbers, run in groups of `size`; the last one is filled up."""
    return np.concatenate([entry.raw(pad(group, size))[: len(group)] for group in groups(pixels, size)])


def largest(values: NDArray[Any]) -> float:
    """Return the largest absolute number that is one."""
    return float(np.nan_to_num(np.abs(values.astype(np.float64)), nan=0, posinf=0).max(initial=0.0))


def difference(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """Return the largest difference; infinite where shapes differ or only one of two is a number."""
    if expected.shape != found.shape:
        return float("inf")
    one, other = expected.astype(np.float64), found.astype(np.float64)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore"):
        apart = np.where(same, 0.0, np.abs(one - other))
    return float(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).max(initial=0.0))


def is_rounding(found: float, scale: float) -> bool:
    """Say whether a difference is what two engines may differ by, for numbers of this scale."""
    return found <= TOLERANCE * max(scale, 1.0)


def differing(expected: NDArray[Any], found: NDArray[Any]) -> int:
    """Return how many numbers differ by more than rounding."""
    tolerance = ROUNDING * max(largest(expected), 1.0)
    return int((~np.isclose(expected, found, rtol=ROUNDING, atol=tolerance)).sum())
