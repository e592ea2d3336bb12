"""mAP@[.50:.95] against pycocotools called directly and against hand-worked cases; hostile rows."""

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from scoring.contracts import BOX_FIELDS, MAX_BOXES, Metric
from scoring.errors import Fault
from scoring.metrics import score
from scoring.metrics.detection import THRESHOLDS, coco_map
from scoring.metrics.formula import MetricResult

SQUARE = (0.0, 0.0, 10.0, 10.0)


def truth(*boxes: tuple[float, ...]) -> np.ndarray:
    """The boxes of one image as (left, top, right, bottom, class, crowd)."""
    return np.array(boxes, np.float64).reshape(-1, 6)


def rows(*images: list[tuple[float, ...]]) -> np.ndarray:
    """Predictions with boxes as (left, top, right, bottom, score, class)."""
    filled = np.zeros((len(images), MAX_BOXES, BOX_FIELDS), np.float32)
    filled[:, :, 4] = -1
    for image, boxes in enumerate(images):
        for place, box in enumerate(boxes):
            filled[image, place] = box
    return filled.reshape(len(images), -1)


def mean_precision(boxes: list[np.ndarray], predictions: np.ndarray) -> MetricResult:
    """Score pictures that come in the order of their table."""
    return coco_map(boxes, predictions, None, places=np.arange(len(boxes)))


def random_pair(seed: int, images: int = 12) -> tuple[list[np.ndarray], np.ndarray]:
    """Boxes of three classes, some crowds; most are found with a shift, with some inventions."""
    random = np.random.default_rng(seed)
    boxes, found = [], []
    for _ in range(images):
        low = random.uniform(0, 80, (6, 2))
        high = low + random.uniform(5, 40, (6, 2))
        numbers, crowds = random.integers(0, 3, 6), random.random(6) < 0.1
        boxes.append(np.column_stack([low, high, numbers, crowds]).astype(np.float64))
        shifted = np.hstack([low, high]) + random.normal(0, 2, (6, 4))
        # pycocotools leaves boxes that are inside out out of the count; a test of their own tells what they are here.
        shifted[:, 2:] = np.maximum(shifted[:, 2:], shifted[:, :2])
        guessed = np.where(random.random(6) < 0.2, (numbers + 1) % 3, numbers)
        kept = random.random(6) < 0.85
        found.append([tuple(row) for row in np.column_stack([shifted, random.random(6), guessed])[kept]])
    return boxes, rows(*found)


def direct(boxes: list[np.ndarray], predictions: np.ndarray) -> tuple[float, float, float]:
    """Return mAP, map50 and map75 as pycocotools itself summarises them, with its own thresholds."""
    true, found = COCO(), COCO()
    images = [{"id": image + 1} for image in range(len(boxes))]
    categories = [{"id": 1}, {"id": 2}, {"id": 3}]
    annotations = [
        {
            "image_id": image + 1,
            "category_id": int(box[4]) + 1,
            "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
            "area": (box[2] - box[0]) * (box[3] - box[1]),
            "iscrowd": int(box[5]),
        }
        for image, boxes_here in enumerate(boxes)
        for box in boxes_here
    ]
    true.dataset = {
        "images": images,
        "categories": categories,
        "annotations": [{"id": place + 1, **box} for place, box in enumerate(annotations)],
    }
    results = [
        {
            "image_id": image + 1,
            "category_id": int(box[5]) + 1,
            "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
            "score": box[4],
        }
        for image, row in enumerate(predictions.astype(np.float64).reshape(len(boxes), -1, BOX_FIELDS))
        for box in row
        if box[4] >= 0
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        true.createIndex()
        true.dataset["info"] = {}
        found = true.loadRes(results)
        evaluator = COCOeval(true, found, "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return tuple(float(value) for value in evaluator.stats[:3])  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_pycocotools_says(seed: int) -> None:
    boxes, predictions = random_pair(seed)

    result = mean_precision(boxes, predictions)

    expected = direct(boxes, predictions)
    found = (result.value, result.details["map50"], result.details["map75"])
    assert found == pytest.approx(expected, abs=1e-9)
    assert 0.1 < result.value < 0.9


def tied(seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures whose found boxes have one of three scores, so that most are tied, in one picture and between them."""
    boxes, predictions = random_pair(seed)
    found = predictions.reshape(len(boxes), MAX_BOXES, BOX_FIELDS)
    scored = found[:, :, 4] >= 0
    found[:, :, 4][scored] = np.ceil(found[:, :, 4][scored] * 3) / 3
    return boxes, predictions


@pytest.mark.parametrize("seed", range(3))
def test_tied_boxes_count_in_the_order_of_the_table_however_it_was_shuffled(seed: int) -> None:
    boxes, predictions = tied(seed)
    expected = direct(boxes, predictions)
    shuffles = [np.random.default_rng(shuffle).permutation(len(boxes)) for shuffle in range(5)]

    found = [
        coco_map([boxes[place] for place in order], predictions[order], None, places=order)
        for order in shuffles
    ]

    for result in found:
        assert (result.value, result.details["map50"], result.details["map75"]) == pytest.approx(
            expected, abs=1e-9
        )
    assert len({result.value for result in found}) == 1


def test_without_places_ties_would_depend_on_the_shuffle() -> None:
    boxes, predictions = tied(0)
    shuffles = [np.random.default_rng(shuffle).permutation(len(boxes)) for shuffle in range(5)]

    found = {mean_precision([boxes[i] for i in order], predictions[order]).value for order in shuffles}

    assert len(found) > 1


def test_of_tied_boxes_of_one_picture_the_first_row_counts_first() -> None:
    right, wrong = (*SQUARE, 0.5, 0), (20, 20, 30, 30, 0.5, 0)

    first, second = (
        mean_precision([truth((*SQUARE, 0, 0))], rows(found)) for found in ([right, wrong], [wrong, right])
    )

    assert (first.value, second.value) == pytest.approx((1.0, 0.5))


def test_of_tied_boxes_of_two_pictures_that_of_the_earlier_row_of_the_table_counts_first() -> None:
    # The picture with the invention stands second in the table, whichever comes first here.
    boxes = [truth((*SQUARE, 0, 0)), truth()]
    predictions = rows([(*SQUARE, 0.5, 0)], [(*SQUARE, 0.5, 0)])

    given = score(Metric.COCO_MAP, (), boxes, predictions, classes=1, places=np.array([1, 2]))
    turned = score(Metric.COCO_MAP, (), boxes[::-1], predictions[::-1], classes=1, places=np.array([2, 1]))
    other = score(Metric.COCO_MAP, (), boxes, predictions, classes=1, places=np.array([2, 1]))

    values = [found["coco_map"].value for found in (given, turned, other)]
    assert values == pytest.approx([1.0, 1.0, 0.5])


def test_all_ten_thresholds_are_there() -> None:
    assert THRESHOLDS.tolist() == [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


def test_a_box_that_only_the_last_threshold_refuses_scores_nine_tenths() -> None:
    # IoU 9.2 / 10 = .92: right up to .90. Adding .05 again and again loses .95 and would say 1.
    result = mean_precision([truth((*SQUARE, 0, 0))], rows([(0, 0, 10, 9.2, 0.9, 0)]))

    assert result.value == pytest.approx(0.9)


def test_a_second_box_for_the_same_truth_is_an_invention() -> None:
    # Precision at full recall is 1 / 1 when the right box is best, and 1 / 2 when it is second.
    right, wrong = (*SQUARE, 0.5, 0), (20, 20, 30, 30, 0.9, 0)

    result = mean_precision([truth((*SQUARE, 0, 0))], rows([right, wrong]))

    assert result.value == pytest.approx(0.5)


def test_a_class_without_a_true_box_does_not_count() -> None:
    result = mean_precision([truth((*SQUARE, 1, 0))], rows([(*SQUARE, 0.9, 1), (*SQUARE, 0.9, 0)]))

    assert result.value == pytest.approx(1.0)


def test_a_crowd_is_never_missed() -> None:
    result = mean_precision([truth((*SQUARE, 0, 0), (50, 50, 90, 90, 0, 1))], rows([(*SQUARE, 0.9, 0)]))

    assert result.value == pytest.approx(1.0)


def test_boxes_without_area_count_as_pycocotools_counts_them() -> None:
    boxes, predictions = random_pair(6)
    found = predictions.reshape(len(boxes), MAX_BOXES, BOX_FIELDS)
    found[:, 1::3, 2] = found[:, 1::3, 0]
    found[::2, 2::3, 3] = found[::2, 2::3, 1]

    result = mean_precision(boxes, predictions)

    assert result.value == pytest.approx(direct(boxes, predictions)[0], abs=1e-9)
    assert result.value < mean_precision(*random_pair(6)).value


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 0, 10, 0.9, 0),
        (0, 0, 10, 0, 0.9, 0),
        (10, 0, 0, 10, 0.9, 0),
        (10, 10, 0, 0, 0.9, 0),
        (0, 0, 3e38, 3e38, 0.9, 0),
        (-3e38, -3e38, 3e38, 3e38, 0.9, 0),
    ],
)
def test_a_box_that_no_truth_can_look_like_is_an_invention(box: tuple[float, ...]) -> None:
    # Precision at full recall is 1 / 2: the right box comes second.
    result = mean_precision([truth((*SQUARE, 0, 0))], rows([(*SQUARE, 0.4, 0), box]))

    assert result.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    "box",
    [
        (*SQUARE, 1.0, 0.5),
        (*SQUARE, 1.0, 7),
        (*SQUARE, 1.0, -1),
        (*SQUARE, -0.5, 0),
    ],
)
def test_a_box_of_no_class_and_a_row_of_no_box_are_passed_over(box: tuple[float, ...]) -> None:
    result = mean_precision([truth((*SQUARE, 0, 0))], rows([(*SQUARE, 0.4, 0), box]))

    assert result.value == pytest.approx(1.0)


def test_finding_nothing_scores_nought() -> None:
    assert mean_precision([truth((*SQUARE, 0, 0))], rows([])).value == 0.0


def test_the_interval_holds_the_value_and_narrows_with_more_images() -> None:
    few, many = (mean_precision(*random_pair(4, images)) for images in (20, 200))

    assert 0 <= few.ci[0] <= few.value <= few.ci[1] <= 1
    assert many.ci[1] - many.ci[0] < (few.ci[1] - few.ci[0]) / 1.5


def test_one_image_says_nothing_of_the_spread() -> None:
    assert mean_precision([truth((*SQUARE, 0, 0))], rows([(*SQUARE, 0.9, 0)])).ci == (0.0, 1.0)


def test_data_without_a_box_are_a_fault() -> None:
    with pytest.raises(Fault):
        mean_precision([truth((*SQUARE, 0, 1))], rows([]))


def test_weights_are_a_fault() -> None:
    with pytest.raises(Fault):
        coco_map([truth((*SQUARE, 0, 0))], rows([]), np.ones(1), places=np.arange(1))


def test_a_box_with_a_class_that_the_track_lacks_is_a_fault() -> None:
    with pytest.raises(Fault, match="0 to 1"):
        score(Metric.COCO_MAP, (), [truth((*SQUARE, 2, 0))], rows([]), classes=2)


def test_boxes_of_the_track_s_classes_are_scored_images_without_one_too() -> None:
    scores = score(
        Metric.COCO_MAP, (), [truth((*SQUARE, 1, 0)), truth()], rows([(*SQUARE, 0.9, 1)], []), classes=2
    )

    assert scores["coco_map"].value == pytest.approx(1)


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    mean_precision(*random_pair(5))

    assert capsys.readouterr().out == ""
