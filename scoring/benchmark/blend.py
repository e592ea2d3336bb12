"""The score blended from samples as they are and as the robustness suite leaves them (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import ScoreValue

WEIGHT: Final = 0.2
"""What the worn samples count."""
BLENDED: Final = "sn34_blended"


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
        return ScoreValue(
            value=self.value,
            ci=(low, high),
            higher_is_better=True,
            version=self.base.version,
            details={
                "base_sn34_score": self.base.value,
                "aug_sn34_score": self.augmented.value,
                "augmentation_robustness": self.robustness,
            },
        )

    @property
    def value(self) -> float:
        """Return the blended score."""
        return (1 - WEIGHT) * self.base.value + WEIGHT * self.augmented.value

    @property
    def robustness(self) -> float:
        """Return the share of the score that outlasts the suite; a score is never below 0.000001."""
        return self.augmented.value / self.base.value

    def fields(self) -> dict[str, float]:
        """Return the fields of `results.json`, where `sn34_score` is then the blended one."""
        return {
            "sn34_score": self.value,
            "base_sn34_score": self.base.value,
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
