"""The area under the ROC curve: how often a positive sample scores above a negative one.

Ties count half (mid-ranks), so AUROC = (wins + ties / 2) / (positives * negatives). It is a ratio of
whole numbers: one correctly rounded division, and the order of samples cannot change it. Without a
positive or without a negative label nothing is known: 0.5 with the interval [0, 1].

The interval: the bounds lie where the value is 1.96 standard errors away, with Hanley and McNeil's
variance (1982) taken at the bound and group sizes averaged (Newcombe 2006, part 2, method 5). Unlike
the normal interval around the value it stays inside [0, 1] and has width at 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights
from scoring.metrics.intervals import Z_95, effective_samples, weight_units

HALVINGS: Final = 60


def auroc(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score how well the outputs part positive from negative samples."""
    positive = labels == 1
    if positive.all() or not positive.any():
        return MetricResult(value=0.5, ci=(0.0, 1.0))
    units = np.ones(len(labels), dtype=np.int64) if weights is None else weight_units(weights)
    value = _area(predictions[:, 0], positive, units)
    trials = np.ones(len(labels)) if weights is None else weights
    positives, negatives = effective_samples(trials[positive]), effective_samples(trials[~positive])
    return MetricResult(value=value, ci=_interval(value, positives, negatives))


def _area(scores: Predictions, positive: NDArray[np.bool_], units: NDArray[np.int64]) -> float:
    _, tie = np.unique(scores, return_inverse=True)
    wins = np.zeros(tie.max() + 1, dtype=np.int64)
    losses = np.zeros_like(wins)
    np.add.at(wins, tie[positive], units[positive])
    np.add.at(losses, tie[~positive], units[~positive])
    # Positives of a tie win against all negatives below it and halve those inside it.
    twice_below = 2 * np.cumsum(losses) - losses
    # Plain numbers: products of weights' units leave 64 bits.
    won = sum(int(above) * int(below) for above, below in zip(wins, twice_below, strict=True) if above)
    return float(won / (2 * int(wins.sum()) * int(losses.sum())))


def _interval(value: float, positives: float, negatives: float) -> tuple[float, float]:
    def is_near(bound: float) -> bool:
        return abs(bound - value) <= Z_95 * math.sqrt(_variance(bound, positives, negatives))

    return _farthest(is_near, value, 0.0), _farthest(is_near, value, 1.0)


def _variance(area: float, positives: float, negatives: float) -> float:
    others = (positives + negatives) / 2 - 1
    spread = 1 + others * (1 - area) / (2 - area) + others * area / (1 + area)
    return area * (1 - area) * spread / (positives * negatives)


def _farthest(is_near: Callable[[float], bool], near: float, far: float) -> float:
    """Halve the way to `far` until the last point that is near is found."""
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        near, far = (middle, far) if is_near(middle) else (near, middle)
    return near
