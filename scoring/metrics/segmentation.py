"""Mean intersection over union, and the share of pixels that are right, over whole datasets.

Pixels of all images are counted together. A class's IoU is the number of pixels that truth and
prediction share, over those that either has; the mean takes the classes that occur in either, so a
class that neither names is left out and counts neither 0 nor 1. Pixels whose mask is 255 count for
nothing. A predicted number that is not a class counts as wrong. All sums are whole numbers, so their
order changes nothing. The interval is that of a bootstrap over images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import IGNORED_CLASS
from scoring.errors import Fault
from scoring.metrics.bootstrap import interval
from scoring.metrics.formula import Masks, MetricResult, Predictions, Weights
from scoring.metrics.intervals import UNITS_PER_WEIGHT, weight_units

# 0 to 254 are classes; 255 stands for a predicted number that is none.
BINS: Final = IGNORED_CLASS + 1
NO_CLASS: Final = IGNORED_CLASS


@dataclass(frozen=True, kw_only=True)
class PixelCounts:
    """Pixels of each image (rows) and class (columns), in units of weight if there are weights."""

    shared: NDArray[np.int64]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]


def miou(masks: Masks, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the mean of the classes' IoU; `details` holds each as iou_<class>."""
    counts = count_pixels(masks, predictions, weights)
    classes = np.flatnonzero((counts.true + counts.predicted)[:, :NO_CLASS].any(axis=0))
    columns = [part[:, classes] for part in (counts.shared, counts.true, counts.predicted)]
    per_class = _ious(np.concatenate([part.sum(axis=0) for part in columns]))
    value = _mean(per_class)
    details = {f"iou_{number}": float(iou) for number, iou in zip(classes, per_class, strict=True)}
    ci = interval(np.hstack(columns), lambda sums: _mean(_ious(sums)), value)
    return MetricResult(value=value, ci=ci, details=details)


def pixel_accuracy(masks: Masks, predictions: Predictions, weights: Weights | None) -> MetricResult:
    """Score the share of pixels whose class is right."""
    counts = count_pixels(masks, predictions, weights)
    per_image = np.stack([counts.shared.sum(axis=1), counts.true.sum(axis=1)], axis=1)
    correct, all_pixels = (int(total) for total in per_image.sum(axis=0))
    value = correct / all_pixels
    unit = 1 if weights is None else UNITS_PER_WEIGHT
    return MetricResult(
        value=value,
        ci=interval(per_image, lambda sums: sums[0] / sums[1] if sums[1] else math.nan, value),
        details={"correct": correct / unit, "pixels": all_pixels / unit},
    )


def count_pixels(masks: Masks, predictions: Predictions, weights: Weights | None) -> PixelCounts:
    """Count pixels image by image; raise `Fault` if the masks mark none that counts."""
    shape = (len(masks), BINS)
    shared, true, predicted = (np.zeros(shape, np.int64) for _ in range(3))
    for image, (mask, row) in enumerate(zip(masks, predictions, strict=True)):
        counted = np.asarray(mask).reshape(-1)
        found = _classes(row)[counted != IGNORED_CLASS]
        counted = counted[counted != IGNORED_CLASS]
        true[image] = np.bincount(counted, minlength=BINS)
        predicted[image] = np.bincount(found, minlength=BINS)
        shared[image] = np.bincount(counted[counted == found], minlength=BINS)
    if not true.any():
        raise Fault("the masks have no pixels to score")
    if weights is not None:
        units = weight_units(weights)[:, None]
        shared, true, predicted = shared * units, true * units, predicted * units
    return PixelCounts(shared=shared, true=true, predicted=predicted)


def _classes(row: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return class numbers; the row is hostile, and other values become `NO_CLASS`."""
    whole = (row >= 0) & (row < NO_CLASS) & (row == np.floor(row))
    return np.where(whole, row, NO_CLASS).astype(np.uint8)


def _ious(sums: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the IoU of each class from (shared, true, predicted) sums; NaN where there is none."""
    shared, true, predicted = np.split(sums.astype(np.float64), 3)
    union = true + predicted - shared
    return np.divide(shared, union, out=np.full(len(shared), math.nan), where=union > 0)


def _mean(ious: NDArray[np.float64]) -> float:
    known = [float(iou) for iou in ious if not math.isnan(iou)]
    return math.fsum(known) / len(known) if known else math.nan
