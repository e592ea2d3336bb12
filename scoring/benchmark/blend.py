"""The score blended from samples as they are and as the robustness suite leaves them (pure).

Wherever a run has both, `sn34_score` is the blend and `base_sn34_score` the score of samples as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Metric, ScoreValue
from scoring.metrics.sn34 import FLOOR

WEIGHT: Final = 0.2
"""What the worn samples count."""
BASE: Final = "base_sn34_score"


@dataclass(frozen=True, kw_only=True)
class Blend:
    """Both scores, and what the suite took from the probability of the truth, a worn sample each."""

    base: ScoreValue
    augmented: ScoreValue
    degradation: NDArray[np.float64]

    def score(self) -> ScoreValue:
        """Return (1 - w) base + w augmented, with an interval that allows both to err the same way."""
        low, high = (
            (1 - WEIGHT) * base + WEIGHT * augmented
            for base, augmented in zip(self.base.ci, self.augmented.ci, strict=True)
        )
        details = {BASE: self.base.value, "aug_sn34_score": self.augmented.value}
        if self.robustness is not None:
            details["augmentation_robustness"] = self.robustness
        return ScoreValue(
            value=self.value,
            ci=(low, high),
            higher_is_better=True,
            version=self.base.version,
            details=details,
        )

    def put_into(self, scores: Mapping[str, ScoreValue]) -> dict[str, ScoreValue]:
        """Return the scores with the blend as `sn34_score`, and after it the base under its own name."""
        blended: dict[str, ScoreValue] = {}
        for name, score in scores.items():
            blended |= {name: self.score(), BASE: self.base} if name == Metric.SN34_SCORE else {name: score}
        return blended

    @property
    def value(self) -> float:
        """Return the blended score."""
        return (1 - WEIGHT) * self.base.value + WEIGHT * self.augmented.value

    @property
    def robustness(self) -> float | None:
        """Return the share of the score that outlasts the suite; None where there was nothing to lose."""
        return None if self.base.value <= FLOOR else self.augmented.value / self.base.value

    def fields(self) -> dict[str, float | None]:
        """Return the fields of `results.json` that only a run with worn samples has."""
        return {
            "aug_sn34_score": self.augmented.value,
            "augmentation_robustness": self.robustness,
            "aug_total_samples": len(self.degradation),
            "aug_paired_samples": len(self.degradation),
            "aug_binary_mcc": self.augmented.details["mcc"],
            "aug_binary_cross_entropy": self.augmented.details["cross_entropy"],
            "aug_binary_brier": self.augmented.details["brier"],
            "aug_mean_prob_degradation": float(np.mean(self.degradation)),
            "aug_p95_prob_degradation": float(np.quantile(self.degradation, 0.95)),
        }
