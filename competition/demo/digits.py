"""scikit-learn's handwritten digits, parted so that no hidden digit is ever trained on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

HIDDEN_DIGITS = 500
PARTING_SEED = 2022


class DigitSet(StrEnum):
    """Which digits a picture is made of."""

    TRAIN = "train"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Digits:
    """Handwritten digits, 8 x 8, ink from 0 to 1, with their labels."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    def pick(self, label: int, random: np.random.Generator) -> NDArray[np.float32]:
        """Return one of the pictures of a digit."""
        return np.asarray(self.images[random.choice(np.flatnonzero(self.labels == label))])


@lru_cache(maxsize=2)
def digits_of(split: DigitSet) -> Digits:
    """Return the digits of one split; the parting does not depend on the seed of the pictures."""
    source = load_digits()
    order = np.random.default_rng(PARTING_SEED).permutation(len(source.target))
    chosen = order[:HIDDEN_DIGITS] if split is DigitSet.HIDDEN else order[HIDDEN_DIGITS:]
    return Digits(
        images=(source.images[chosen] / 16).astype(np.float32), labels=source.target[chosen].astype(np.int64)
    )
