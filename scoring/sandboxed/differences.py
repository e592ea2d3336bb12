"""How far the answers of a model in another form are from its own."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Two engines round differently; beyond this they compute something else.
TOLERANCE: Final = 1e-2
ROUNDING: Final = 1e-3


def largest(values: NDArray[Any]) -> float:
    """Return the largest absolute number that is one."""
    return float(np.nan_to_num(np.abs(values.astype(np.float64)), nan=0, posinf=0).max(initial=0.0))


def largest_between(expected: NDArray[Any], found: NDArray[Any]) -> float:
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
