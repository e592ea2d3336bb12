"""Says how many of an entry's answers are not those that are scored.

An entry is asked again where something else than its score is at stake: its speed, or its graph in
another precision. It could know that, and answer as another model would.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import OutputKind

ROUNDING: Final = 0.05
"""Batches of 32 and of 1, and two engines, round differently; half-precision models more than others."""


def count_off(answers: NDArray[np.float32], predictions: NDArray[np.float32], kind: OutputKind) -> int:
    """Return how many rows differ beyond rounding; what is not a number differs.

    Numbers may be off by a share of their mean size. Of a class map that share of pixels may have
    another class: there is no size to a class number, and a map may be all zeros.
    """
    if kind is OutputKind.CLASS_MAP:
        return int(np.count_nonzero((answers != predictions).mean(axis=1) > ROUNDING))
    difference = np.abs(answers.astype(np.float64) - predictions).mean(axis=1)
    # Written so that a comparison with NaN says that they differ.
    alike = difference <= ROUNDING * np.abs(predictions.astype(np.float64)).mean(axis=1)
    return int(np.count_nonzero(~alike))
