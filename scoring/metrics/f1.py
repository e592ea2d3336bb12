"""The highest F1 over all thresholds t, where a sample counts as positive if its score is >= t.

Tied scores stay together: no threshold parts them. Of several best thresholds the highest is
reported. Without a positive label F1 is 0 at every threshold and the interval is [0, 1].

F1 is 2 TP / (P + TP + FP) of whole numbers, so each value takes one correctly rounded division
and neither the order of samples nor of summation can change it.

The interval: F1 = 2 J / (1 + J) for J = TP / (TP + FP + FN), and given the number of samples that
are not true negatives, TP is binomial with proportion J. Wilson's interval of J is therefore
carried over to F1 by that increasing function. It holds for the threshold as found and does not
widen for the search over thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights
from scoring.metrics.intervals import UNITS_PER_WEIGHT, effective_samples, weight_units, wilson


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Right and wrong calls at one threshold, in samples or in units of weight."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def f1(self) -> float:
        """Return F1, 0 when nothing is positive and nothing was called so."""
        denominator = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / denominator if denominator else 0.0


def best_f1(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the best threshold."""
    scores, positive = predictions[:, 0], labels == 1
    if weights is None:
        threshold = _best_threshold(scores, positive)
    else:
        threshold = _best_weighted_threshold(scores, positive, weight_units(weights))
    return f1_at(threshold, scores, positive, weights)


def f1_at(
    threshold: float, scores: Predictions, positive: NDArray[np.bool_], weights: Weights | None
) -> MetricResult:
    """Score one threshold."""
    called = scores >= threshold
    if weights is None:
        counts = _counts(called, positive)
        return _result(counts, threshold, unit=1, trials=float(counts.tp + counts.fp + counts.fn))
    counts = _weighted_counts(called, positive, weight_units(weights))
    counted = weights[called | positive]
    trials = effective_samples(counted) if counted.size else 0.0
    return _result(counts, threshold, unit=UNITS_PER_WEIGHT, trials=trials)


def _best_threshold(scores: Predictions, positive: NDArray[np.bool_]) -> float:
    """Look only at positives' scores: any other threshold calls more negatives for the same TP.

    Sorting both classes by themselves and merging their counts is faster than sorting pairs.
    """
    hits = np.compress(positive, scores)
    if not hits.size:
        return _value(scores.max())
    misses = np.compress(~positive, scores)
    hits.sort()
    misses.sort()
    # Inside a tie TP comes out too low but for its first member, FP is right: the first one wins.
    tp = np.arange(hits.size, 0, -1)
    called = tp + misses.size - np.searchsorted(misses, hits, side="left")
    return _value(hits[_last_maximum(2 * tp / (hits.size + called))])


def _best_weighted_threshold(
    scores: Predictions, positive: NDArray[np.bool_], units: NDArray[np.int64]
) -> float:
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    first_of_tie = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
    called = _sums_from(units[order])[first_of_tie]
    tp = _sums_from(np.where(positive, units, 0)[order])[first_of_tie]
    f1 = 2 * tp / (int(units[positive].sum()) + called)
    return _value(ascending[first_of_tie[_last_maximum(f1)]])


def _sums_from(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each position the sum from there to the end."""
    return np.cumsum(values[::-1])[::-1]


def _last_maximum(values: NDArray[np.float64]) -> int:
    return int(values.size - 1 - np.argmax(values[::-1]))


def _value(score: np.floating) -> float:
    """Return a plain number; of the two zeros the positive one, since ties hold both."""
    return float(score) + 0.0


def _counts(called: NDArray[np.bool_], positive: NDArray[np.bool_]) -> Calls:
    tp = int(np.count_nonzero(called & positive))
    all_called, all_positive = int(np.count_nonzero(called)), int(np.count_nonzero(positive))
    return Calls(
        tp=tp, fp=all_called - tp, fn=all_positive - tp, tn=called.size - all_called - all_positive + tp
    )


def _weighted_counts(
    called: NDArray[np.bool_], positive: NDArray[np.bool_], units: NDArray[np.int64]
) -> Calls:
    return Calls(
        tp=int(units[called & positive].sum()),
        fp=int(units[called & ~positive].sum()),
        fn=int(units[~called & positive].sum()),
        tn=int(units[~called & ~positive].sum()),
    )


def _result(counts: Calls, threshold: float, *, unit: int, trials: float) -> MetricResult:
    value = counts.f1
    any_positive = counts.tp + counts.fn > 0
    union = counts.tp + counts.fp + counts.fn
    low, high = wilson(counts.tp / union, trials) if any_positive else (0.0, 1.0)
    return MetricResult(
        value=value,
        ci=(min(value, _f1_of_jaccard(low)), max(value, _f1_of_jaccard(high))),
        details={
            "threshold": threshold,
            "precision": counts.tp / (counts.tp + counts.fp) if counts.tp + counts.fp else 0.0,
            "recall": counts.tp / (counts.tp + counts.fn) if any_positive else 0.0,
            "tp": counts.tp / unit,
            "fp": counts.fp / unit,
            "fn": counts.fn / unit,
            "tn": counts.tn / unit,
        },
    )


def _f1_of_jaccard(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
