"""How much each provenance counts in the score, whatever number of samples it has (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.benchmark.provenance import Provenance, provenance
from scoring.data.labels import LabelRow
from scoring.errors import Fault

ROUNDED_PLACES: Final = 12
ROUNDING: Final = 10.0**-ROUNDED_PLACES
"""0.9 and 0.1 leave nothing, whatever binary fractions make of them."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Shares of the score, 0 to 1 and together at most 1; the public datasets get the rest."""

    holdout: float = 0.0
    gasstation: float = 0.0

    def __post_init__(self) -> None:
        """Raise `ValueError` for shares that are none."""
        # Written so that what is not a number fails too.
        if not (
            self.holdout >= 0 and self.gasstation >= 0 and self.holdout + self.gasstation <= 1 + ROUNDING
        ):
            raise ValueError("shares must be numbers from 0 to 1, and at most 1 together")

    def by_provenance(self) -> Mapping[Provenance, float]:
        """Return every share by its name."""
        return {
            Provenance.PUBLIC: max(0.0, round(1 - self.holdout - self.gasstation, ROUNDED_PLACES)),
            Provenance.HOLDOUT: self.holdout,
            Provenance.GASSTATION: self.gasstation,
        }


@dataclass(frozen=True, kw_only=True)
class Portion:
    """What one provenance has in a run: its samples, its share, and the mean weight of a sample."""

    samples: int
    share: float
    mean_weight: float


def own_weights(rows: Sequence[LabelRow]) -> NDArray[np.float64]:
    """Return the weights that `labels.csv` gives."""
    return np.array([row.weight for row in rows], dtype=np.float64)


def weigh(rows: Sequence[LabelRow], shares: Shares) -> NDArray[np.float64]:
    """Return weights by which each provenance makes its share of the whole; their sum stays as it was.

    Samples keep their own weights among their like. The shares of absent provenances go to the
    others in proportion; raises `Fault` when nothing is left.
    """
    weights = own_weights(rows)
    factors = _factors(rows, weights, shares)
    return weights * np.array([factors[provenance(row.group)] for row in rows])


def compose(rows: Sequence[LabelRow], shares: Shares) -> dict[str, Portion]:
    """Return what each provenance that is there makes of the score."""
    weights = weigh(rows, shares)
    found = np.array([provenance(row.group).value for row in rows])
    return {
        name: Portion(
            samples=int(np.count_nonzero(found == name)),
            share=float(weights[found == name].sum() / weights.sum()),
            mean_weight=float(weights[found == name].mean()),
        )
        for name in sorted(set(found.tolist()))
    }


def _factors(
    rows: Sequence[LabelRow], weights: NDArray[np.float64], shares: Shares
) -> Mapping[Provenance, float]:
    found = np.array([provenance(row.group).value for row in rows])
    present = {name: share for name, share in shares.by_provenance().items() if (found == name).any()}
    whole = sum(present.values())
    if whole <= 0:
        raise Fault(f"the shares leave nothing to score: all samples are {' or '.join(sorted(present))}")
    return {
        name: share / whole * weights.sum() / weights[found == name].sum() for name, share in present.items()
    }
