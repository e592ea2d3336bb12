"""What every metric is: a pure function of truth and predictions, with a version and a direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import OutputKind

Labels = NDArray[np.int64]
Masks = NDArray[np.uint8]
"""(N, H, W) class numbers; `IGNORED_CLASS` marks pixels that do not count."""
Boxes = Sequence[NDArray[np.float64]]
"""For each image an array (boxes, 6): left, top, right, bottom, class, 1 for a crowd."""
Truth = Labels | Masks | Boxes
Predictions = NDArray[np.float32]
Weights = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class MetricResult:
    """A value with its 95 % confidence interval, which always contains it."""

    value: float
    ci: tuple[float, float]
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MetricDefinition(Generic[T]):
    """One metric. `version` changes whenever the same predictions could get another value.

    `compute` takes (truth, predictions of shape (N, width), weights or None), all checked, N > 0.
    A weight of w counts like w samples. Logits have at least two columns; `one_logit` metrics also take
    a single one, the logit of class 1. `compute_with` is for metrics that read numbers which the package
    states; `right` says of labels and called classes which agree.
    """

    name: str
    version: str
    higher_is_better: bool
    output_kind: OutputKind
    compute: Callable[[T, Predictions, Weights | None], MetricResult]
    compute_with: Callable[[T, Predictions, Weights | None, Mapping[str, float]], MetricResult] | None = None
    right: Callable[[Labels, Labels], NDArray[np.bool_]] = np.equal
    one_logit: bool = False
