"""What every metric is: a pure function of labels and predictions, with a version and a direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import OutputKind

Labels = NDArray[np.int64]
Predictions = NDArray[np.float32]
Weights = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class MetricResult:
    """A value with its 95 % confidence interval, which always contains it."""

    value: float
    ci: tuple[float, float]
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MetricDefinition:
    """One metric. `version` changes whenever the same predictions could get another value.

    `compute` takes (labels, predictions of shape (N, width), weights or None), all checked, N > 0.
    A weight of w counts like w samples.
    """

    name: str
    version: str
    higher_is_better: bool
    output_kind: OutputKind
    compute: Callable[[Labels, Predictions, Weights | None], MetricResult]
