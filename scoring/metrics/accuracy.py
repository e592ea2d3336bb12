"""The share of samples whose label is among the k classes with the highest outputs.

Ties go to the lower class index: of two classes with equal outputs the lower one ranks first.
With no more than k classes every label is among them. The interval is Wilson's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights
from scoring.metrics.intervals import effective_samples, weight_units, wilson

# Bounds the temporary arrays, so that memory does not grow with the dataset.
ROWS_AT_ONCE: Final = 4096


def accuracy(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the class with the highest output; a single one is the logit of class 1, beside 0 for class 0."""
    if predictions.shape[1] == 1:
        predictions = np.concatenate([np.zeros_like(predictions), predictions], axis=1)
    return _share(top_k_hits(labels, predictions, 1), weights)


def top5_accuracy(labels: Labels, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the five classes with the highest outputs."""
    return _share(top_k_hits(labels, predictions, 5), weights)


def top_k_hits(labels: Labels, predictions: Predictions, k: int) -> NDArray[np.bool_]:
    """Say for each sample whether fewer than k classes rank before its label."""
    hits = np.empty(len(labels), dtype=np.bool_)
    for start in range(0, len(labels), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        hits[rows] = _rank(labels[rows], predictions[rows]) < k
    return hits


def _rank(labels: Labels, outputs: Predictions) -> NDArray[np.int64]:
    own = np.take_along_axis(outputs, labels[:, None], axis=1)
    lower_index = np.arange(outputs.shape[1]) < labels[:, None]
    return np.asarray(((outputs > own) | ((outputs == own) & lower_index)).sum(axis=1), dtype=np.int64)


def _share(hits: NDArray[np.bool_], weights: Weights | None) -> MetricResult:
    correct = int(np.count_nonzero(hits))
    if weights is None:
        value, trials = correct / len(hits), float(len(hits))
    else:
        units = weight_units(weights)
        value, trials = int(units[hits].sum()) / int(units.sum()), effective_samples(weights)
    return MetricResult(value=value, ci=wilson(value, trials), details={"correct": float(correct)})
