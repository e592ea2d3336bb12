"""Metrics: truth x predictions -> scores, outside the sandbox. Predictions are hostile numbers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from scoring.contracts import IGNORED_CLASS, TRUTH_BY_OUTPUT, Metric, OutputKind, ScoreValue, TruthKind
from scoring.errors import Fault, reject
from scoring.metrics.accuracy import ACCURACY, TOP5_ACCURACY
from scoring.metrics.auroc import AUROC
from scoring.metrics.classes import BALANCED_ACCURACY, BRIER, CROSS_ENTROPY, MACRO_F1, MCC
from scoring.metrics.definition import (
    Boxes,
    Labels,
    Masks,
    MetricDefinition,
    MetricResult,
    Predictions,
    Truth,
    Weights,
)
from scoring.metrics.detection import COCO_MAP
from scoring.metrics.f1 import BEST_F1
from scoring.metrics.segmentation import MIOU, PIXEL_ACCURACY
from scoring.metrics.sn34 import SN34_MULTICLASS, SN34_SCORE
from scoring.metrics.threshold import F1_AT_THRESHOLD

__all__ = ["METRICS", "MetricDefinition", "MetricResult", "score"]

# Each metric takes the one kind of truth that its output kind is scored against.
METRICS: dict[Metric, MetricDefinition[Any]] = {
    Metric.ACCURACY: ACCURACY,
    Metric.TOP5_ACCURACY: TOP5_ACCURACY,
    Metric.BEST_F1: BEST_F1,
    Metric.MIOU: MIOU,
    Metric.PIXEL_ACCURACY: PIXEL_ACCURACY,
    Metric.COCO_MAP: COCO_MAP,
    Metric.SN34_SCORE: SN34_SCORE,
    Metric.SN34_MULTICLASS: SN34_MULTICLASS,
    Metric.MCC: MCC,
    Metric.BRIER: BRIER,
    Metric.CROSS_ENTROPY: CROSS_ENTROPY,
    Metric.MACRO_F1: MACRO_F1,
    Metric.BALANCED_ACCURACY: BALANCED_ACCURACY,
    Metric.AUROC: AUROC,
    Metric.F1_AT_THRESHOLD: F1_AT_THRESHOLD,
}


def score(
    metric: Metric,
    extra_metrics: tuple[Metric, ...],
    labels: Truth,
    predictions: Predictions,
    weights: Weights | None = None,
    classes: int = 0,
    parameters: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, ScoreValue]:
    """Compute the ranking metric and the extra ones, keyed by name, the ranking metric first.

    `labels` are class numbers, masks or boxes, as the metrics' output kind wants; `classes` is how
    many masks and boxes may name; `parameters` are numbers that the package states. Predictions have
    shape (N, width). Raises `Rejected` for a wrong count and for values that are not finite, `Fault`
    for a track or dataset that a metric cannot serve.
    """
    _check_predictions(labels, predictions)
    scores = {}
    for name in dict.fromkeys((metric, *extra_metrics)):
        definition = METRICS[name]
        _check_truth(definition, labels, predictions.shape[1], classes)
        _check_weights(weights, len(labels))
        if definition.compute_with:
            found = definition.compute_with(labels, predictions, weights, parameters)
        else:
            found = definition.compute(labels, predictions, weights)
        scores[str(name)] = _score_value(definition, found)
    return scores


def _check_predictions(labels: Truth, predictions: Predictions) -> None:
    if len(predictions) != len(labels):
        raise reject("wrong_output_count", found=len(predictions), expected=len(labels))
    bad = predictions.size - int(np.count_nonzero(np.isfinite(predictions)))
    if bad:
        raise reject("not_finite", found=bad, total=predictions.size)


def _check_truth(definition: MetricDefinition[Any], truth: Truth, width: int, classes: int) -> None:
    if not len(truth):
        raise Fault("there is no sample to score")
    match TRUTH_BY_OUTPUT[definition.output_kind]:
        case TruthKind.CLASSES:
            _check_labels(definition, cast(Labels, truth), width)
        case TruthKind.MASKS:
            _check_masks(cast(Masks, truth), width, classes)
        case TruthKind.BOXES:  # pragma: no branch (the last kind there is)
            _check_boxes(cast(Boxes, truth), classes)


def _check_labels(definition: MetricDefinition[Any], labels: Labels, width: int) -> None:
    classes = max(2, width)
    if definition.output_kind is OutputKind.CONFIDENCE and width != 1:
        raise Fault(f"{definition.name} needs outputs of width 1, and the track has width {width}")
    if definition.output_kind is OutputKind.LOGITS and width == 1 and not definition.one_logit:
        raise Fault(f"{definition.name} needs a column for each class, and the track has one column")
    if labels.min() < 0 or labels.max() >= classes:
        raise Fault(f"a label is not among 0 to {classes - 1}")


def _check_masks(masks: Masks, width: int, classes: int) -> None:
    if masks[0].size != width:
        raise Fault(f"masks have {masks[0].size:,} pixels, and outputs {width:,}")
    for mask in masks:
        if mask[mask != IGNORED_CLASS].max(initial=0) >= classes:
            raise Fault(f"a mask names a class that is not among 0 to {classes - 1}")


def _check_boxes(boxes: Boxes, classes: int) -> None:
    if any(image[:, 4].max(initial=0) >= classes for image in boxes):
        raise Fault(f"a box names a class that is not among 0 to {classes - 1}")


def _check_weights(weights: Weights | None, samples: int) -> None:
    if weights is not None and (len(weights) != samples or not (weights > 0).all()):
        raise Fault("weights must be positive, one for each sample")


def _score_value(definition: MetricDefinition[Any], result: MetricResult) -> ScoreValue:
    return ScoreValue(
        value=result.value,
        ci=result.ci,
        higher_is_better=definition.higher_is_better,
        version=definition.version,
        details=result.details,
    )
