"""Scores that depend on the confusion matrix alone: rows are labels, columns are classes called.

The matrix holds whole numbers, of samples or of units of weight, without a common divisor. So
neither the order of samples, nor of summation, nor a factor on all weights can change a score.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scoring.metrics.formula import Labels, Weights
from scoring.metrics.intervals import weight_units

Counts = NDArray[np.int64]


def confusion_matrix(truth: Labels, called: Labels, weights: Weights | None, classes: int) -> Counts:
    """Count each pair of label and called class, in lowest terms."""
    counts = count_pairs(truth, called, weights, classes)
    return counts // max(1, int(np.gcd.reduce(counts, axis=None)))


def count_pairs(truth: Labels, called: Labels, weights: Weights | None, classes: int) -> Counts:
    """Count each pair of label and called class, in samples or in units of weight."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (truth, called), 1 if weights is None else weight_units(weights))
    return counts


def correlation(counts: Counts) -> float:
    """Return Gorodkin's R_K (2004), for two classes Matthews' correlation; 0 where it is undefined.

    R_K = (c n - sum r_k s_k) / sqrt((n^2 - sum s_k^2)(n^2 - sum r_k^2)), c on the diagonal, r and s
    the sums of rows and columns.
    """
    rows, columns = counts.sum(axis=1).tolist(), counts.sum(axis=0).tolist()
    samples = sum(rows)
    covariance = int(np.trace(counts)) * samples - sum(r * s for r, s in zip(rows, columns, strict=True))
    spread = (samples**2 - sum(s * s for s in columns)) * (samples**2 - sum(r * r for r in rows))
    if not spread:
        return 0.0
    # Whole numbers, scaled by 2**64: a perfect prediction gives 1.0 to the last bit.
    return (covariance << 64) / math.isqrt(spread << 128)


def macro_f1(counts: Counts) -> float:
    """Return the mean F1 of the classes that are a label or called at least once."""
    hits = counts.diagonal().tolist()
    seen = (counts.sum(axis=0) + counts.sum(axis=1)).tolist()
    scores = [2 * hit / total for hit, total in zip(hits, seen, strict=True) if total]
    return math.fsum(scores) / len(scores)


def balanced_accuracy(counts: Counts) -> float:
    """Return the mean recall of the classes that are a label at least once."""
    hits, rows = counts.diagonal().tolist(), counts.sum(axis=1).tolist()
    recalls = [hit / total for hit, total in zip(hits, rows, strict=True) if total]
    return math.fsum(recalls) / len(recalls)
