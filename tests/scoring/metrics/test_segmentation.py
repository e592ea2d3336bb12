"""Mean IoU and pixel accuracy against plain loops over pixels; hostile rows; intervals."""

import numpy as np
import pytest

from scoring.contracts import IGNORED_CLASS, Metric
from scoring.errors import Fault, Rejected
from scoring.metrics import score
from scoring.metrics.formula import MetricResult
from scoring.metrics.segmentation import miou, pixel_accuracy

CLASSES = 4


def random_pair(seed: int, images: int = 7, side: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Masks with ignored pixels, and predictions that are right about half the time."""
    random = np.random.default_rng(seed)
    masks = random.integers(0, CLASSES, (images, side, side)).astype(np.uint8)
    guesses = random.integers(0, CLASSES, masks.shape)
    predictions = np.where(random.random(masks.shape) < 0.5, masks, guesses)
    masks[random.random(masks.shape) < 0.1] = IGNORED_CLASS
    return masks, predictions.reshape(images, -1).astype(np.float32)


def plain_miou(masks: np.ndarray, predictions: np.ndarray) -> float:
    pairs = [
        (int(true), int(found))
        for true, found in zip(masks.ravel(), predictions.ravel(), strict=True)
        if true != IGNORED_CLASS
    ]
    ious = []
    for number in range(CLASSES):
        shared = sum(true == found == number for true, found in pairs)
        either = sum(number in pair for pair in pairs)
        if either:
            ious.append(shared / either)
    return sum(ious) / len(ious)


@pytest.mark.parametrize("seed", range(5))
def test_mean_iou_is_that_of_the_plain_loop(seed: int) -> None:
    masks, predictions = random_pair(seed)

    assert miou(masks, predictions, None).value == pytest.approx(plain_miou(masks, predictions), abs=1e-12)


def test_pixel_accuracy_counts_pixels_that_are_not_ignored() -> None:
    masks = np.array([[[0, 1], [2, 255]], [[1, 1], [255, 255]]], np.uint8)
    predictions = np.array([[0, 1, 1, 2], [1, 0, 0, 0]], np.float32)

    result = pixel_accuracy(masks, predictions, None)

    assert result.value == 3 / 5
    assert result.details == {"correct": 3, "pixels": 5}


def test_a_class_that_only_the_prediction_names_counts_nought() -> None:
    masks = np.zeros((2, 1, 2), np.uint8)
    predictions = np.array([[0, 0], [0, 3]], np.float32)

    result = miou(masks, predictions, None)

    assert result.details == {"iou_0": 3 / 4, "iou_3": 0.0}
    assert result.value == 3 / 8


def test_a_class_that_nobody_names_is_left_out() -> None:
    masks = np.full((2, 1, 2), 2, np.uint8)

    result = miou(masks, np.full((2, 2), 2, np.float32), None)

    assert (result.value, dict(result.details)) == (1.0, {"iou_2": 1.0})


@pytest.mark.parametrize("value", [-1, 0.5, 255, 256, 1e30, -1e30])
def test_a_number_that_is_no_class_is_wrong_and_no_class_of_its_own(value: float) -> None:
    masks = np.zeros((2, 1, 2), np.uint8)
    predictions = np.array([[0, 0], [0, value]], np.float32)

    result = miou(masks, predictions, None)

    assert dict(result.details) == {"iou_0": 3 / 4}


@pytest.mark.parametrize("metric", [miou, pixel_accuracy])
def test_a_weight_of_three_counts_like_three_samples(metric) -> None:  # type: ignore[no-untyped-def]
    masks, predictions = random_pair(1)
    weights = np.array([3, 1, 1, 2, 1, 1, 1], np.float64)
    repeats = weights.astype(int)

    weighted: MetricResult = metric(masks, predictions, weights)

    repeated = metric(np.repeat(masks, repeats, axis=0), np.repeat(predictions, repeats, axis=0), None)
    assert weighted.value == pytest.approx(repeated.value, abs=1e-12)


@pytest.mark.parametrize("metric", [miou, pixel_accuracy])
def test_the_order_of_samples_changes_nothing(metric) -> None:  # type: ignore[no-untyped-def]
    masks, predictions = random_pair(2)

    assert metric(masks[::-1], predictions[::-1], None).value == metric(masks, predictions, None).value


@pytest.mark.parametrize("metric", [miou, pixel_accuracy])
def test_the_interval_holds_the_value_repeats_and_narrows_with_more_images(metric) -> None:  # type: ignore[no-untyped-def]
    few, many = (metric(*random_pair(3, images), None) for images in (10, 400))

    assert few.ci == metric(*random_pair(3, 10), None).ci
    assert 0 <= few.ci[0] <= few.value <= few.ci[1] <= 1
    assert many.ci[1] - many.ci[0] < (few.ci[1] - few.ci[0]) / 3


def test_one_image_says_nothing_of_the_spread() -> None:
    assert miou(*random_pair(4, images=1), None).ci == (0.0, 1.0)


def test_masks_without_a_pixel_that_counts_are_a_fault() -> None:
    with pytest.raises(Fault):
        miou(np.full((2, 1, 1), IGNORED_CLASS, np.uint8), np.zeros((2, 1), np.float32), None)


def test_a_mask_with_a_class_that_the_track_lacks_is_a_fault() -> None:
    masks, predictions = random_pair(5)

    with pytest.raises(Fault, match="0 to 2"):
        score(Metric.MIOU, (), masks, predictions, classes=3)


def test_masks_of_another_size_are_a_fault() -> None:
    masks, predictions = random_pair(6)

    with pytest.raises(Fault, match="pixels"):
        score(Metric.MIOU, (), masks[:, 1:], predictions, classes=CLASSES)


def test_a_missing_row_is_refused() -> None:
    masks, predictions = random_pair(7)

    with pytest.raises(Rejected) as refused:
        score(Metric.MIOU, (), masks, predictions[1:], classes=CLASSES)

    assert refused.value.code == "wrong_output_count"
