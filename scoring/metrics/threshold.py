"""F1 where a sample counts as positive if its score is >= the package's own threshold.

Packages that state a `threshold`, or else an `anomaly_threshold`, are scored at it, others at 0.5.
Thresholds are rounded to 32 bits, as outputs are. The interval is that of best F1, and here it needs
no allowance for a search.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from scoring.contracts import METRIC_FACTS, Metric
from scoring.metrics.f1 import f1_at
from scoring.metrics.formula import Labels, MetricResult, Predictions, Weights

DEFAULT_THRESHOLD: Final = 0.5


def f1_at_threshold(
    labels: Labels,
    predictions: Predictions,
    weights: Weights | None,
    parameters: Mapping[str, float] = MappingProxyType({}),
) -> MetricResult:
    """Score the threshold that the package states."""
    names = METRIC_FACTS[Metric.F1_AT_THRESHOLD].package_numbers
    stated = [parameters[name] for name in names if name in parameters]
    threshold = stated[0] if stated else DEFAULT_THRESHOLD
    return f1_at(threshold, predictions[:, 0], labels == 1, weights)
