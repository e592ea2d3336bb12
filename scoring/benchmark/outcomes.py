"""From raw outputs to one outcome a sample: probabilities, the predicted class, right or wrong (pure)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import OutputKind


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Row i of each array is sample i. `probabilities` has a column for each class, at least two."""

    probabilities: NDArray[np.float64]
    predicted: NDArray[np.int64]
    correct: NDArray[np.bool_]


def judge(predictions: NDArray[np.float32], labels: NDArray[np.int64], kind: OutputKind) -> Outcomes:
    """Return the outcome of every sample; one number a sample says how sure the model is of class 1.

    A lone number is class 1 only above 0.5; among several, the first of the largest wins.
    """
    probabilities = _probabilities(predictions.astype(np.float64), kind)
    if predictions.shape[1] == 1:
        predicted = (probabilities[:, 1] > 0.5).astype(np.int64)
    else:
        predicted = predictions.argmax(axis=1).astype(np.int64)
    return Outcomes(probabilities=probabilities, predicted=predicted, correct=predicted == labels)


def _probabilities(values: NDArray[np.float64], kind: OutputKind) -> NDArray[np.float64]:
    if values.shape[1] == 1:
        certain = np.clip(values[:, 0], 0.0, 1.0) if kind is OutputKind.CONFIDENCE else _sigmoid(values[:, 0])
        return np.stack([1.0 - certain, certain], axis=1)
    # A logit of 1e30 must not become infinity over infinity.
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float64)


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1.0 / (1.0 + small), small / (1.0 + small))
