"""Metrics: truth x predictions -> scores, outside the sandbox. Predictions are hostile numbers."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, cast

import numpy as np

from scoring.contracts import (
    IGNORED_CLASS,
    METRIC_FACTS,
    TRUTH_BY_OUTPUT,
    Metric,
    MetricFacts,
    OutputKind,
    ScoreValue,
    TruthKind,
)
from scoring.errors import Fault, reject
from scoring.metrics.formula import (
    Boxes,
    Formula,
    Labels,
    Masks,
    MetricResult,
    Places,
    Predictions,
    Truth,
    Weights,
)
from scoring.metrics.joining import joined_for

__all__ = ["METRICS", "Formula", "MetricResult", "score"]

METRICS: Final[Mapping[Metric, Formula]] = {
    metric: getattr(import_module(f"{__name__}.{facts.module}"), metric)
    for metric, facts in METRIC_FACTS.items()
}


def score(
    metric: Metric,
    extra_metrics: tuple[Metric, ...],
    labels: Truth,
    predictions: Predictions,
    weights: Weights | None = None,
    classes: int = 0,
    parameters: Mapping[str, float] = MappingProxyType({}),
    places: Places | None = None,
) -> dict[str, ScoreValue]:
    """Compute the ranking metric and the extra ones, keyed by name, the ranking metric first.

    `labels` are class numbers, masks or boxes, as the metrics' output kind wants; `classes` is how
    many masks and boxes may name, and how many labels there are where logits have more columns;
    `parameters` are numbers that the package states. Predictions have shape (N, width). Raises `Rejected`
    for a wrong count and for values that are not finite, `Fault` for a track or dataset that a metric
    cannot serve.
    """
    _check_predictions(labels, predictions)
    scores = {}
    for name in dict.fromkeys((metric, *extra_metrics)):
        facts = METRIC_FACTS[name]
        read = joined_for(facts, predictions, classes)
        _check_truth(name, labels, read.shape[1], classes)
        _check_weights(weights, len(labels))
        told: dict[str, Any] = {"parameters": parameters} if facts.package_numbers else {}
        if facts.breaks_ties:
            told["places"] = np.arange(len(labels)) if places is None else places
        scores[str(name)] = _score_value(facts, METRICS[name](labels, read, weights, **told))
    return scores


def _check_predictions(labels: Truth, predictions: Predictions) -> None:
    if len(predictions) != len(labels):
        raise reject("wrong_output_count", found=len(predictions), expected=len(labels))
    bad = predictions.size - int(np.count_nonzero(np.isfinite(predictions)))
    if bad:
        raise reject("not_finite", found=bad, total=predictions.size)


def _check_truth(metric: Metric, truth: Truth, width: int, classes: int) -> None:
    if not len(truth):
        raise Fault("the dataset has no samples to score")
    match TRUTH_BY_OUTPUT[METRIC_FACTS[metric].output]:
        case TruthKind.CLASSES:
            _check_labels(METRIC_FACTS[metric], cast(Labels, truth), width)
        case TruthKind.MASKS:
            _check_masks(cast(Masks, truth), width, classes)
        case TruthKind.BOXES:  # pragma: no branch (the last kind there is)
            _check_boxes(cast(Boxes, truth), classes)


def _check_labels(facts: MetricFacts, labels: Labels, width: int) -> None:
    classes = max(2, width)
    if facts.output is OutputKind.CONFIDENCE and width != 1:
        raise Fault(f"{facts.title} needs outputs of width 1, but the track has width {width}")
    if facts.output is OutputKind.LOGITS and width == 1 and not facts.one_logit:
        raise Fault(f"{facts.title} needs a column for each class, but the track has one column")
    if labels.min() < 0 or labels.max() >= classes:
        raise Fault(f"a label is not from 0 to {classes - 1}")


def _check_masks(masks: Masks, width: int, classes: int) -> None:
    if masks[0].size != width:
        raise Fault(f"masks have {masks[0].size:,} pixels, but outputs have {width:,}")
    for mask in masks:
        if mask[mask != IGNORED_CLASS].max(initial=0) >= classes:
            raise Fault(f"a mask names a class that is not from 0 to {classes - 1}")


def _check_boxes(boxes: Boxes, classes: int) -> None:
    if any(image[:, 4].max(initial=0) >= classes for image in boxes):
        raise Fault(f"a box names a class that is not from 0 to {classes - 1}")


def _check_weights(weights: Weights | None, samples: int) -> None:
    if weights is not None and (len(weights) != samples or not (weights > 0).all()):
        raise Fault("there must be one positive weight per sample")


def _score_value(facts: MetricFacts, result: MetricResult) -> ScoreValue:
    return ScoreValue(
        value=result.value,
        ci=result.ci,
        higher_is_better=facts.higher_is_better,
        version=facts.version,
        details=result.details,
    )
