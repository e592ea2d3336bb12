"""What a metric's formula takes and returns: it is a pure function of truth and predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Masks = NDArray[np.uint8]
"""(N, H, W) class numbers; `IGNORED_CLASS` marks pixels that do not count."""
Boxes = Sequence[NDArray[np.float64]]
"""For each image an array (boxes, 6): left, top, right, bottom, class, 1 for a crowd."""
Truth = Labels | Masks | Boxes
Predictions = NDArray[np.floating]
Weights = NDArray[np.float64]
Places = NDArray[np.int64]
"""Where each sample stands in its table; all are different."""


@dataclass(frozen=True, kw_only=True)
class MetricResult:
    """A value with its 95% confidence interval, which always contains it."""

    value: float
    ci: tuple[float, float]
    details: Mapping[str, float] = field(default_factory=dict)


Formula = Callable[..., MetricResult]
"""The function of a metric's name: takes (truth, predictions of shape (N, width), weights or None).

Truth is of the one kind that the metric's output is scored against. All is checked, and N is above 0.
A weight of w counts like w samples. Where the metric declares numbers that a package may state, they
come as `parameters`; where it declares that it breaks ties, the samples' places come as `places`.
"""
