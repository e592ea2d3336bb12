"""Logits of more classes than are scored, brought down to them: GASBench takes three where it tells two apart."""

from __future__ import annotations

import numpy as np

from scoring.contracts import Joining, MetricFacts
from scoring.metrics.formula import Predictions


def joined_for(facts: MetricFacts, predictions: Predictions, classes: int) -> Predictions:
    """Return what a metric is to read where labels are of so many classes, 0 for as many as there are columns."""
    if facts.joins is None:
        return predictions
    return joined(predictions, classes, facts.joins)


def joined(predictions: Predictions, classes: int, how: Joining) -> Predictions:
    """Join the columns from the last class on into one."""
    if not 0 < classes < predictions.shape[1]:
        return predictions
    kept, rest = predictions[:, : classes - 1], predictions[:, classes - 1 :]
    join = np.maximum if how is Joining.CALLS else np.logaddexp
    # In doubles: rounded to floats, a probability would differ from the one it is made of.
    last = join.reduce(rest.astype(np.float64), axis=1, keepdims=True)
    return np.concatenate([kept, last], axis=1)
