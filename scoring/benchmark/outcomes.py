"""From raw outputs to one outcome a sample: probabilities, the predicted class, right or wrong (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Joining, Metric, OutputKind, TrackSpec
from scoring.metrics import guesses
from scoring.metrics.joining import joined

MEDIA_TYPES: Final = ("real", "synthetic", "semisynthetic")
"""Names of the labels 0, 1 and 2 in tracks that tell real from other media."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Row i of each array is sample i. `probabilities` has a column for each class, at least two."""

    probabilities: NDArray[np.float64]
    predicted: NDArray[np.int64]
    correct: NDArray[np.bool_]


def judge(predictions: NDArray[np.float32], labels: NDArray[np.int64], track: TrackSpec) -> Outcomes:
    """Return the outcome of every sample. A confidence calls class 1 above 0.5.

    Where real media are told from the rest, whatever is called not real is right for what is not real.
    """
    if track.output.kind is OutputKind.CONFIDENCE:
        certain = np.clip(predictions[:, 0].astype(np.float64), 0.0, 1.0)
        probabilities = np.stack([1.0 - certain, certain], axis=1)
        predicted = (certain > 0.5).astype(np.int64)
    else:
        probabilities = guesses.probabilities(predictions)
        predicted = guesses.called_classes(joined(predictions, track.output.classes, Joining.CALLS))
    correct = (predicted > 0) == (labels > 0) if tells_real_from_rest(track) else predicted == labels
    return Outcomes(probabilities=probabilities, predicted=predicted, correct=correct)


def tells_real_from_rest(track: TrackSpec) -> bool:
    """Say whether label 0 means real, and all others not."""
    return Metric.SN34_SCORE in (track.metric, *track.extra_metrics)


def chance_of_truth(outcomes: Outcomes, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability given to the right side of real or not real."""
    real = outcomes.probabilities[:, 0]
    return np.where(labels > 0, 1.0 - real, real)


def class_name(track: TrackSpec, label: int) -> str:
    """Name a class as the results do."""
    return media_type(track, label) or str(label)


def media_type(track: TrackSpec, label: int) -> str | None:
    """Return the medium that a label means; tracks with other classes have none."""
    return MEDIA_TYPES[label] if tells_real_from_rest(track) and label < len(MEDIA_TYPES) else None
