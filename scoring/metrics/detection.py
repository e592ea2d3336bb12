"""COCO's mean average precision: the mean over IoU thresholds .50, .55, … .95 and over classes.

pycocotools matches boxes and builds the curves. The thresholds are k / 20 for whole k from 10 to 19:
adding .05 again and again drifts past .95, loses the tenth threshold and scores too high. A class
counts if it has a true box; of each image the 100 best boxes of a class count. Crowds are matched
as COCO does and never missed.

Boxes with equal scores must come in some order, and the score depends on it. It is the order of their pictures in
the table, and of one picture the order of its rows, in which `pycocotools` would meet them: however samples were
shuffled, the score is the same.

The interval is coarse: images go into 20 blocks, the score is computed again without each, and the
jackknife's standard error gives a normal interval, cut to [0, 1]. Below 20 images each is a block.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from scoring.contracts import BOX_FIELDS
from scoring.errors import Fault
from scoring.metrics.formula import Boxes, MetricResult, Places, Predictions, Weights
from scoring.metrics.intervals import Z_95

THRESHOLDS: Final = np.array([k / 20 for k in range(10, 20)])
DETECTIONS_PER_CLASS: Final = 100
BLOCKS: Final = 20
# Boxes far outside any picture are cut there: their area would overflow.
MAX_COORDINATE: Final = 1e6
ALL_SIZES: Final = [0.0, 1e13]
AT_50: Final = 0
AT_75: Final = 5


def coco_map(
    boxes: Boxes, predictions: Predictions, weights: Weights | None, *, places: Places
) -> MetricResult:
    """Score mAP@[.50:.95]; `details` holds map50 and map75. Weights cannot be used."""
    if weights is not None:
        raise Fault("mAP does not support weights; remove the column “weight”")
    if not any((image[:, 5] == 0).any() for image in boxes):
        raise Fault("the dataset has no boxes")
    as_given = np.argsort(places, kind="stable")
    # pycocotools tells its progress on standard output.
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator = _matched([boxes[place] for place in as_given], predictions[as_given])
        images = np.arange(len(boxes))
        precision = _precision(evaluator, images)
        value = _mean(precision)
        # Tables are often sorted, so a block is made of samples as they were shuffled.
        blocks = [images[as_given % BLOCKS != block] for block in range(min(BLOCKS, len(images)))]
        without = [_mean(_precision(evaluator, kept)) for kept in blocks if len(kept)]
    return MetricResult(
        value=value,
        ci=_jackknife(value, without),
        details={"map50": _mean(precision[AT_50]), "map75": _mean(precision[AT_75])},
    )


def _matched(boxes: Boxes, predictions: Predictions) -> Any:
    """Match found boxes to true ones, image by image and class by class."""
    classes = sorted({int(number) for image in boxes for number in image[:, 4]})
    truth = _index(len(boxes), classes, _true_boxes(boxes))
    found = _index(len(boxes), classes, _found_boxes(predictions, set(classes)))
    evaluator = COCOeval(truth, found, "bbox")
    evaluator.params.iouThrs = THRESHOLDS
    evaluator.params.areaRng, evaluator.params.areaRngLbl = [ALL_SIZES], ["all"]
    evaluator.params.maxDets = [DETECTIONS_PER_CLASS]
    evaluator.evaluate()
    return evaluator


def _index(images: int, classes: list[int], annotations: Iterable[dict[str, object]]) -> Any:
    index = COCO()
    index.dataset = {
        "images": [{"id": image} for image in range(images)],
        "categories": [{"id": number} for number in classes],
        "annotations": [{"id": number, **box} for number, box in enumerate(annotations, start=1)],
    }
    index.createIndex()
    return index


def _true_boxes(boxes: Boxes) -> Iterable[dict[str, object]]:
    for image, rows in enumerate(boxes):
        for left, top, right, bottom, number, crowd in rows.tolist():
            yield _box(image, int(number), left, top, right, bottom) | {"iscrowd": int(crowd)}


def _found_boxes(predictions: Predictions, classes: set[int]) -> Iterable[dict[str, object]]:
    """Read the rows, which are hostile; a box without area is an invention like any other that hits nothing."""
    rows = predictions.astype(np.float64).reshape(len(predictions), -1, BOX_FIELDS)
    rows[:, :, :4] = rows[:, :, :4].clip(-MAX_COORDINATE, MAX_COORDINATE)
    # Negative sides would make a negative area, which pycocotools leaves out of the count.
    rows[:, :, 2:4] = np.maximum(rows[:, :, 2:4], rows[:, :, :2])
    for image, found in enumerate(rows):
        counted = (found[:, 4] >= 0) & np.isin(found[:, 5], list(classes))
        for left, top, right, bottom, score, number in found[counted].tolist():
            yield _box(image, int(number), left, top, right, bottom) | {"score": score, "iscrowd": 0}


def _box(image: int, number: int, left: float, top: float, right: float, bottom: float) -> dict[str, object]:
    width, height = right - left, bottom - top
    return {
        "image_id": image,
        "category_id": number,
        "bbox": [left, top, width, height],
        "area": width * height,
    }


def _precision(evaluator: Any, images: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return precision (thresholds, recalls, classes) over some of the images; -1 where no box is true.

    Matches are per image, so leaving images out needs no new matching.
    """
    part = copy.copy(evaluator)
    part.params = copy.copy(evaluator.params)
    part.params.imgIds = images.tolist()
    part._paramsEval = part.params
    total = len(evaluator.params.imgIds)
    part.evalImgs = [
        evaluator.evalImgs[number * total + image]
        for number in range(len(evaluator.params.catIds))
        for image in images
    ]
    part.accumulate()
    return np.asarray(part.eval["precision"][:, :, :, 0, 0])


def _mean(precision: NDArray[np.float64]) -> float:
    known = precision[precision > -1]
    return float(known.mean()) if known.size else math.nan


def _jackknife(value: float, without: list[float]) -> tuple[float, float]:
    known = [score for score in without if not math.isnan(score)]
    if len(known) < 2:
        return 0.0, 1.0
    spread = math.sqrt((len(known) - 1) / len(known) * math.fsum((s - np.mean(known)) ** 2 for s in known))
    return max(0.0, value - Z_95 * spread), min(1.0, value + Z_95 * spread)
