"""The score of GASBench: geometric mean of a correlation term and a Brier term.

    mcc_norm   = ((mcc + 1) / 2) ** 1.2
    brier_norm = max(0, (baseline - brier) / baseline) ** 1.8
    score      = sqrt(max(1e-12, mcc_norm * brier_norm))

so a score is never below 0.000001. `sn34_score` asks only whether a sample is real (label 0) or not,
with one, two or three and more outputs; baseline 0.25. `sn34_multiclass` asks for the class itself,
with R_K for MCC and the sum over classes for Brier; baseline (K - 1) / K. With labels of a single
class MCC is 0, which caps the score near 0.66, and only the Brier term still tells models apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.metrics import guesses, resampling
from scoring.metrics.confusion import confusion_matrix, correlation
from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights
from scoring.metrics.guesses import Guesses
from scoring.metrics.intervals import exact_mean

ALPHA: Final = 1.2
BETA: Final = 1.8
SMALLEST_PRODUCT: Final = 1e-12
FLOOR: Final = math.sqrt(SMALLEST_PRODUCT)
"""No score is below it."""

Number = float | NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the score is made of."""

    mcc: float
    brier: float
    cross_entropy: float


def sn34_score(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score real against all else."""
    return _result(guesses.of_first_against_rest(labels, predictions), weights)


def sn34_multiclass(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the class."""
    found = guesses.of_classes(labels, predictions)
    scored = _result(found, weights)
    # Of two classes the loss of one column, with its baseline, is half of the sum over both.
    halves = 2 if found.classes == 2 else 1
    return replace(scored, details={**scored.details, "brier": halves * scored.details["brier"]})


def terms(found: Guesses, weights: Weights | None) -> Terms:
    """Measure guesses; where there is none, they are worth as much as knowing nothing."""
    if not len(found.truth):
        return Terms(mcc=0.0, brier=found.brier_baseline, cross_entropy=0.0)
    counts = confusion_matrix(found.truth, found.called, weights, found.classes)
    return Terms(
        mcc=correlation(counts),
        brier=exact_mean(found.brier, weights),
        cross_entropy=exact_mean(found.cross_entropy, weights),
    )


def normal_mcc(mcc: Number) -> NDArray[np.float64]:
    """Bring a correlation from [-1, 1] to [0, 1]."""
    return np.asarray(np.clip((np.asarray(mcc) + 1) / 2, 0, 1) ** ALPHA)


def normal_brier(brier: Number, baseline: float) -> NDArray[np.float64]:
    """Bring a Brier loss to [0, 1]: 0 at the baseline and beyond, 1 where it is flawless."""
    return np.asarray(np.maximum(0, (baseline - np.asarray(brier)) / baseline) ** BETA)


def geometric_mean(first: Number, second: Number) -> NDArray[np.float64]:
    """Combine the terms as the score does."""
    return np.asarray(np.clip(np.sqrt(np.maximum(SMALLEST_PRODUCT, np.multiply(first, second))), 0, 1))


def combine(mcc: Number, brier: Number, *, baseline: float = 0.25) -> NDArray[np.float64]:
    """Return the score of a correlation and a Brier loss."""
    return geometric_mean(normal_mcc(mcc), normal_brier(brier, baseline))


def _result(found: Guesses, weights: Weights | None) -> MetricResult:
    measured = terms(found, weights)
    baseline = found.brier_baseline
    value = float(combine(measured.mcc, measured.brier, baseline=baseline))
    draws = resampling.draw(
        found.truth, found.called, weights, classes=found.classes, loss=found.brier, baseline=baseline
    )

    def scores(draws: resampling.Draws) -> NDArray[np.float64]:
        return combine(resampling.correlations(draws), draws.loss, baseline=baseline)

    return MetricResult(
        value=value,
        ci=resampling.interval(value, scores, draws),
        details={
            "mcc": measured.mcc,
            "brier": measured.brier,
            "cross_entropy": measured.cross_entropy,
        },
    )
