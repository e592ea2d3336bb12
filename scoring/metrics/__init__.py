"""Metrics: labels x predictions -> scores, outside the sandbox. Predictions are hostile numbers."""

from __future__ import annotations

import numpy as np

from scoring.contracts import Metric, OutputKind, ScoreValue
from scoring.errors import Fault, reject
from scoring.metrics.accuracy import ACCURACY, TOP5_ACCURACY
from scoring.metrics.definition import Labels, MetricDefinition, MetricResult, Predictions, Weights
from scoring.metrics.f1 import BEST_F1

__all__ = ["METRICS", "MetricDefinition", "MetricResult", "score"]

METRICS: dict[Metric, MetricDefinition] = {
    Metric.ACCURACY: ACCURACY,
    Metric.TOP5_ACCURACY: TOP5_ACCURACY,
    Metric.BEST_F1: BEST_F1,
}


def score(
    metric: Metric,
    extra_metrics: tuple[Metric, ...],
    labels: Labels,
    predictions: Predictions,
    weights: Weights | None = None,
) -> dict[str, ScoreValue]:
    """Compute the ranking metric and the extra ones, keyed by name, the ranking metric first.

    Predictions have shape (N, width). Raises `Rejected` for a wrong count and for values that are
    not finite, `Fault` for a track or dataset that the metric cannot serve.
    """
    _check_predictions(labels, predictions)
    scores = {}
    for name in dict.fromkeys((metric, *extra_metrics)):
        definition = METRICS[name]
        _check_truth(definition, labels, predictions.shape[1], weights)
        scores[str(name)] = _score_value(definition, definition.compute(labels, predictions, weights))
    return scores


def _check_predictions(labels: Labels, predictions: Predictions) -> None:
    if len(predictions) != len(labels):
        raise reject("wrong_output_count", found=len(predictions), expected=len(labels))
    bad = predictions.size - int(np.count_nonzero(np.isfinite(predictions)))
    if bad:
        raise reject("not_finite", found=bad, total=predictions.size)


def _check_truth(definition: MetricDefinition, labels: Labels, width: int, weights: Weights | None) -> None:
    classes = 2 if definition.output_kind is OutputKind.CONFIDENCE else width
    if not len(labels):
        raise Fault("there is no sample to score")
    if definition.output_kind is OutputKind.CONFIDENCE and width != 1:
        raise Fault(f"{definition.name} needs outputs of width 1, and the track has width {width}")
    if labels.min() < 0 or labels.max() >= classes:
        raise Fault(f"a label is not among 0 to {classes - 1}")
    if weights is not None and (len(weights) != len(labels) or not (weights > 0).all()):
        raise Fault("weights must be positive, one for each sample")


def _score_value(definition: MetricDefinition, result: MetricResult) -> ScoreValue:
    return ScoreValue(
        value=result.value,
        ci=result.ci,
        higher_is_better=definition.higher_is_better,
        version=definition.version,
        details=result.details,
    )
