"""Confidence intervals in closed form, and weights whose sums do not depend on order."""

from __future__ import annotations

import math
import operator
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.metrics.formula import Weights

UNITS_PER_WEIGHT: Final = 2**20
Z_95: Final = NormalDist().inv_cdf(0.975)


def wilson(proportion: float, trials: float) -> tuple[float, float]:
    """Return Wilson's 95% score interval of a proportion seen in `trials` trials (1927).

    Unlike the normal approximation it stays inside [0, 1] and has width at 0 and at 1.
    """
    z2_share = Z_95**2 / trials
    centre = (proportion + z2_share / 2) / (1 + z2_share)
    spread = math.sqrt(proportion * (1 - proportion) / trials + z2_share / (4 * trials))
    half = Z_95 * spread / (1 + z2_share)
    low = max(0.0, min(centre - half, proportion))
    return low, min(1.0, max(centre + half, proportion))


def weight_units(weights: Weights) -> NDArray[np.int64]:
    """Return weights as whole numbers of 2**-20, at least one each.

    Sums of whole numbers do not depend on their order, so neither does a weighted score.
    """
    return np.maximum(1, np.rint(weights * UNITS_PER_WEIGHT)).astype(np.int64)


def effective_samples(weights: Weights) -> float:
    """Return Kish's effective sample size: how many equally weighted samples tell as much."""
    return math.fsum(weights) ** 2 / math.fsum(np.square(weights))


def exact_mean(values: NDArray[np.float64], weights: Weights | None) -> float:
    """Return the weighted mean of values rounded to 2**-40; its order of summation changes nothing."""
    units = np.rint(values * 2**40).astype(np.int64).tolist()
    if weights is None:
        return float(sum(units) / (len(units) << 40))
    shares = weight_units(weights).tolist()
    return float(sum(map(operator.mul, units, shares)) / (sum(shares) << 40))
