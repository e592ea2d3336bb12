"""What a classifier's outputs say: a class, a probability, and what each guess costs.

Several columns are logits of as many classes: probabilities are their softmax, the class called is
the highest one, ties go to the lower index. One column is the logit of class 1: its probability is
the sigmoid, and class 1 is called where that is above 0.5.

Probabilities are kept between 1e-7 and 1 - 1e-7 before they are scored. Brier's loss of two classes
is (p1 - y)^2, of more it is the sum over classes of (p_k - y_k)^2; cross-entropy is -ln p of the label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.metrics.formula import Labels, Predictions

SMALLEST_PROBABILITY: Final = 1e-7
# Bounds the temporary arrays, so that memory does not grow with the dataset.
ROWS_AT_ONCE: Final = 4096

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """Row i of every array is the same sample; `classes` counts the classes that can be called."""

    classes: int
    truth: Labels
    called: Labels
    brier: Floats
    cross_entropy: Floats

    @property
    def brier_baseline(self) -> float:
        """Return the Brier loss of calling every class equally likely."""
        return 0.25 if self.classes == 2 else (self.classes - 1) / self.classes

    @property
    def cross_entropy_baseline(self) -> float:
        """Return the cross-entropy of calling every class equally likely."""
        return float(np.log(self.classes))


def of_classes(labels: Labels, predictions: Predictions) -> Guesses:
    """Read outputs as guesses at the label itself."""
    classes = max(2, predictions.shape[1])
    brier, cross_entropy = np.empty(len(labels)), np.empty(len(labels))
    for start in range(0, len(labels), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        likely = probabilities(predictions[rows])
        brier[rows], cross_entropy[rows] = class_losses(labels[rows], likely)
    called = called_classes(predictions)
    return Guesses(classes=classes, truth=labels, called=called, brier=brier, cross_entropy=cross_entropy)


def of_first_against_rest(labels: Labels, predictions: Predictions) -> Guesses:
    """Read outputs as guesses whether the label is above 0, whatever it is then.

    The class is taken before the others are joined: probabilities .4, .3, .3 call class 0.
    """
    truth = (labels > 0).astype(np.int64)
    chance = np.concatenate(
        [
            1 - probabilities(predictions[start : start + ROWS_AT_ONCE])[:, 0]
            for start in range(0, len(labels), ROWS_AT_ONCE)
        ]
    )
    brier, cross_entropy = binary_losses(truth, chance)
    called = (called_classes(predictions) > 0).astype(np.int64)
    return Guesses(classes=2, truth=truth, called=called, brier=brier, cross_entropy=cross_entropy)


def called_classes(predictions: Predictions) -> Labels:
    """Return the class that each row calls."""
    if predictions.shape[1] == 1:
        return (_sigmoid(predictions[:, 0]) > 0.5).astype(np.int64)
    return predictions.argmax(axis=1).astype(np.int64)


def probabilities(predictions: Predictions) -> Floats:
    """Return the probability of each class, at least two of them."""
    if predictions.shape[1] == 1:
        positive = _sigmoid(predictions[:, 0])
        return np.stack([1 - positive, positive], axis=1)
    logits = predictions.astype(np.float64)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float64)


def class_losses(labels: Labels, likely: Floats) -> tuple[Floats, Floats]:
    """Return the Brier loss and the cross-entropy of each row of class probabilities."""
    if likely.shape[1] == 2:
        return binary_losses(labels, likely[:, 1])
    kept = _clipped(likely)
    own = np.take_along_axis(kept, labels[:, None], axis=1)[:, 0]
    return np.square(kept).sum(axis=1) - np.square(own) + np.square(1 - own), -np.log(own)


def binary_losses(truth: Labels, chance: Floats) -> tuple[Floats, Floats]:
    """Return the Brier loss and the cross-entropy of each chance of being positive."""
    kept = _clipped(chance)
    return np.square(kept - truth), -np.log(np.where(truth == 1, kept, 1 - kept))


def _sigmoid(logits: NDArray[np.float32]) -> Floats:
    """Return 1 / (1 + exp(-x)); exp of a large number would overflow, so its sign is turned."""
    small = np.exp(-np.abs(logits.astype(np.float64)))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small))


def _clipped(likely: Floats) -> Floats:
    return np.clip(likely, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
