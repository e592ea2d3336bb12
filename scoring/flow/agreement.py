"""Says how many of an entry's answers are not those that are scored.

An entry is asked again where something else than its score is at stake: its speed, or its graph in
another precision. It could know that, and answer as another model would.

How much is rounding is told from how far a model's answers lie apart, never from how large they are:
with a million added to every logit, which changes no score, anything would be within 5%.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import OutputKind

ROUNDING: Final = 0.05
"""Batches of 32 and of 1, and two engines, round differently; half-precision models more than others."""
Rows = NDArray[np.float64]


def count_off(
    answers: NDArray[np.float32],
    predictions: NDArray[np.float32],
    kind: OutputKind,
    *,
    rounding: float = ROUNDING,
) -> int:
    """Return how many rows differ beyond rounding, a share of how far answers lie apart; what is not a number differs.

    In a class map, that share of the pixels may have another class: class numbers have no size, and a
    map may be all zeros.
    """
    # Answers are hostile: infinities less each other are no number, and worth no warning.
    with np.errstate(invalid="ignore", over="ignore"):
        off = _OFF[kind](answers.astype(np.float64), predictions.astype(np.float64), rounding)
    return int(np.count_nonzero(off))


def _logits_off(answers: Rows, predictions: Rows, rounding: float) -> NDArray[np.bool_]:
    """Compare distances to the highest logit, class by class: a column that never wins excuses no other."""
    if predictions.shape[1] == 1:
        return _confidences_off(answers, predictions, rounding)
    below = predictions - predictions.max(axis=1, keepdims=True)
    return _beyond_rounding(answers - answers.max(axis=1, keepdims=True), below, rounding)


def _confidences_off(answers: Rows, predictions: Rows, rounding: float) -> NDArray[np.bool_]:
    middle = np.median(predictions, axis=0)
    return _beyond_rounding(answers - middle, predictions - middle, rounding)


def _beyond_rounding(answers: Rows, predictions: Rows, rounding: float) -> NDArray[np.bool_]:
    """Allow a share of each value and of its column's usual one, which few huge values do not raise."""
    usual = np.median(np.abs(predictions), axis=0)
    same = np.abs(answers - predictions) <= rounding * (np.abs(predictions) + usual)
    return np.asarray(~same.all(axis=1))


def _maps_off(answers: Rows, predictions: Rows, rounding: float) -> NDArray[np.bool_]:
    return np.asarray((answers != predictions).mean(axis=1) > rounding)


def _boxes_off(answers: Rows, predictions: Rows, rounding: float) -> NDArray[np.bool_]:
    difference = np.abs(answers - predictions).mean(axis=1)
    return np.asarray(~(difference <= rounding * np.abs(predictions).mean(axis=1)))


_OFF: Final[dict[OutputKind, Callable[[Rows, Rows, float], NDArray[np.bool_]]]] = {
    OutputKind.LOGITS: _logits_off,
    OutputKind.CONFIDENCE: _confidences_off,
    OutputKind.CLASS_MAP: _maps_off,
    OutputKind.BOXES: _boxes_off,
}
