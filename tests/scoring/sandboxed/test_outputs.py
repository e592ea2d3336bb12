"""From a model's answer to rows, for each output kind: what passes, and each way to be refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoring.contracts import (
    BOX_FIELDS,
    MAX_BOXES,
    BoxLayout,
    Format,
    InputContract,
    Outcome,
    OutputContract,
    OutputKind,
    Request,
    Task,
)
from scoring.sandboxed.boxes import suppress
from scoring.sandboxed.outputs import to_rows
from scoring.sandboxed.refusal import Refusal

HEIGHT, WIDTH = 4, 6
INPUT = InputContract(shape=(3, HEIGHT, WIDTH))


def request(output: OutputContract, **options: object) -> Request:
    return Request(
        task=Task.PREDICT,
        format=Format.CVPR_ZIP,
        main="model.py",
        input=INPUT,
        output=output.settle(INPUT),
        samples=2,
        batch_size=2,
        threads=1,
        seed=0,
        options=options,
    )


MAPS = request(OutputContract(kind=OutputKind.CLASS_MAP, classes=3))
YOLO = request(OutputContract(kind=OutputKind.BOXES, classes=2, box_layout=BoxLayout.YOLO))
CORNERS = request(OutputContract(kind=OutputKind.BOXES, classes=2, box_layout=BoxLayout.CORNERS))


def yolo(*anchors: tuple[float, ...]) -> np.ndarray:
    """One sample of anchors given as (x, y, width, height, score of 0, score of 1)."""
    return np.array(anchors, np.float32).T[None]


def found(row: np.ndarray) -> list[list[float]]:
    boxes = row.reshape(MAX_BOXES, BOX_FIELDS)
    return boxes[boxes[:, 4] >= 0].astype(np.float64).round(4).tolist()


def iou(one: np.ndarray, other: np.ndarray) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(across, 0) * max(down, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(shared / (sum(areas) - shared))


def test_the_largest_number_of_a_pixel_is_its_class_and_ties_go_to_the_lower() -> None:
    logits = np.zeros((2, 3, HEIGHT, WIDTH), np.float32)
    logits[0, 2, 1, 3] = 1.0
    logits[1, 1:, 0, 0] = 5.0

    rows = to_rows(logits, batch=2, request=MAPS)

    expected = np.zeros((2, HEIGHT, WIDTH), np.float32)
    expected[0, 1, 3], expected[1, 0, 0] = 2, 1
    np.testing.assert_array_equal(rows, expected.reshape(2, -1))
    assert rows.dtype == np.float32


def test_more_samples_than_are_worked_on_at_once_keep_their_order() -> None:
    logits = np.random.default_rng(1).normal(size=(11, 3, HEIGHT, WIDTH)).astype(np.float32)

    rows = to_rows(logits, batch=11, request=MAPS)

    np.testing.assert_array_equal(rows, logits.argmax(axis=1).reshape(11, -1))


def test_integers_are_classes_already() -> None:
    numbers = np.arange(2 * HEIGHT * WIDTH).reshape(2, HEIGHT, WIDTH) % 3

    rows = to_rows(numbers, batch=2, request=MAPS)

    np.testing.assert_array_equal(rows, numbers.reshape(2, -1))


@pytest.mark.parametrize(
    ("output", "outcome", "facts"),
    [
        (np.zeros((2, 2, 4, 6), "f4"), Outcome.WRONG_OUTPUT_SHAPE, {"expected": "(2, 3, 4, 6)"}),
        (np.zeros((2, 3, 6, 4), "f4"), Outcome.WRONG_OUTPUT_SHAPE, {"found": "(2, 3, 6, 4)"}),
        (np.zeros((2, 4, 6), "f4"), Outcome.WRONG_OUTPUT_SHAPE, {"found": "(2, 4, 6)"}),
        (np.zeros((2, 3, 4, 6), "i8"), Outcome.WRONG_OUTPUT_SHAPE, {"found": "(2, 3, 4, 6)"}),
        (np.zeros((1, 3, 4, 6), "f4"), Outcome.WRONG_OUTPUT_COUNT, {"found": 1, "expected": 2}),
        (np.zeros((3, 4, 6), "i8"), Outcome.WRONG_OUTPUT_COUNT, {"found": 3, "expected": 2}),
        (np.full((2, 4, 6), 3), Outcome.CLASS_OUT_OF_RANGE, {}),
        (np.full((2, 4, 6), -1), Outcome.CLASS_OUT_OF_RANGE, {}),
        (np.zeros((2, 4, 6), "?"), Outcome.WRONG_OUTPUT_KIND, {"found": "a tensor of bool"}),
        (np.full((2, 3, 4, 6), np.nan, "f4"), Outcome.NOT_FINITE, {"found": 144, "total": 144}),
    ],
)
def test_a_map_that_breaks_the_contract_is_refused(
    output: np.ndarray, outcome: Outcome, facts: dict[str, object]
) -> None:
    with pytest.raises(Refusal) as refused:
        to_rows(output, batch=2, request=MAPS)

    assert refused.value.outcome == outcome
    assert facts.items() <= refused.value.facts.items()


def test_integers_are_refused_where_scores_are_wanted() -> None:
    logits = request(OutputContract(kind=OutputKind.LOGITS, width=3))

    with pytest.raises(Refusal) as refused:
        to_rows(np.zeros((2, 3), np.int64), batch=2, request=logits)

    assert refused.value.outcome is Outcome.WRONG_OUTPUT_KIND


def test_an_anchor_becomes_a_box_of_its_best_class() -> None:
    rows = to_rows(yolo((3, 2, 2, 4, 0.25, 0.75)), batch=1, request=YOLO)

    assert rows.shape == (1, MAX_BOXES * BOX_FIELDS)
    assert found(rows[0]) == [[2, 0, 4, 4, 0.75, 1]]


def test_a_place_without_a_box_has_the_score_minus_one() -> None:
    rows = to_rows(yolo((3, 2, 2, 4, 0.0, 0.0)), batch=1, request=YOLO)

    np.testing.assert_array_equal(rows.reshape(MAX_BOXES, BOX_FIELDS)[:, 4], -1)


def test_boxes_come_best_first_and_overlaps_of_their_class_are_dropped() -> None:
    sample = yolo(
        (5, 5, 10, 10, 0.5, 0.0), (5, 5, 10, 9, 0.0, 0.6), (5, 5, 10, 9, 0.9, 0.0), (30, 5, 10, 10, 0.7, 0.0)
    )

    rows = to_rows(sample, batch=1, request=YOLO)

    assert [(box[4], box[5]) for box in found(rows[0])] == [(0.9, 0), (0.7, 0), (0.6, 1)]


def test_the_package_states_its_thresholds() -> None:
    sample = yolo((5, 5, 10, 10, 0.9, 0), (5, 5, 10, 5, 0.8, 0), (30, 5, 10, 10, 0.2, 0))
    chosen = replace(YOLO, options={"confidence_threshold": 0.25, "nms_threshold": 0.45})

    rows = to_rows(sample, batch=1, request=chosen)

    assert [box[4] for box in found(rows[0])] == [0.9]


def test_boxes_given_by_corners_are_final() -> None:
    sample = np.array([[[0, 0, 9, 9, 0.4, 1], [0, 0, 9, 9, 0.8, 1]]], np.float32)

    rows = to_rows(sample, batch=1, request=CORNERS)

    assert [box[4] for box in found(rows[0])] == [0.8, 0.4]


@pytest.mark.parametrize("number", [2, -1, 0.5])
def test_a_box_of_a_class_that_the_track_does_not_have_is_refused(number: float) -> None:
    sample = np.array([[[0, 0, 9, 9, 0.8, 1], [0, 0, 9, 9, 0.4, number]]], np.float32)

    with pytest.raises(Refusal) as refused:
        to_rows(sample, batch=1, request=CORNERS)

    assert refused.value.outcome is Outcome.CLASS_OUT_OF_RANGE


def test_the_class_of_a_place_without_a_box_is_not_looked_at() -> None:
    sample = np.array([[[0, 0, 9, 9, 0.8, 1], [0, 0, 0, 0, 0, -1]]], np.float32)

    rows = to_rows(sample, batch=1, request=CORNERS)

    assert [box[4] for box in found(rows[0])] == [0.8]


def test_of_many_boxes_the_best_are_kept() -> None:
    scores = np.random.default_rng(2).permutation(MAX_BOXES + 50) / 1000 + 0.1
    sample = np.zeros((1, len(scores), BOX_FIELDS), np.float32)
    sample[0, :, 2:4], sample[0, :, 4] = 1, scores

    rows = to_rows(sample, batch=1, request=CORNERS)

    kept = rows.reshape(MAX_BOXES, BOX_FIELDS)[:, 4]
    np.testing.assert_array_equal(kept, np.sort(scores.astype(np.float32))[::-1][:MAX_BOXES])


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        (np.zeros((2, 8, 6), "f4"), Outcome.WRONG_OUTPUT_SHAPE),
        (np.zeros((2, 84, 8400), "f4"), Outcome.WRONG_OUTPUT_SHAPE),
        (np.zeros((2, 6), "f4"), Outcome.WRONG_OUTPUT_SHAPE),
        (np.zeros((1, 6, 9), "f4"), Outcome.WRONG_OUTPUT_COUNT),
        (np.zeros((2, 6, 9), "i8"), Outcome.WRONG_OUTPUT_KIND),
        (np.full((2, 6, 9), np.inf, "f4"), Outcome.NOT_FINITE),
    ],
)
def test_boxes_that_break_the_contract_are_refused(output: np.ndarray, outcome: Outcome) -> None:
    with pytest.raises(Refusal) as refused:
        to_rows(output, batch=2, request=YOLO)

    assert refused.value.outcome == outcome


@pytest.mark.parametrize("threshold", ["0.5", 1.5, -0.1])
def test_a_threshold_that_is_no_share_is_refused(threshold: Any) -> None:
    with pytest.raises(Refusal) as refused:
        to_rows(
            yolo((1, 1, 1, 1, 1, 0)), batch=1, request=replace(YOLO, options={"nms_threshold": threshold})
        )

    assert refused.value.outcome is Outcome.LOAD_FAILED


def test_suppression_is_that_of_the_plain_loop() -> None:
    random = np.random.default_rng(3)
    low = random.uniform(0, 50, (120, 2))
    corners = np.hstack([low, low + random.uniform(5, 30, (120, 2))])
    scores = np.sort(random.uniform(0, 1, 120))[::-1]
    boxes = np.column_stack([corners, scores, random.integers(0, 3, 120)]).astype(np.float32)
    expected: list[int] = []
    for place, box in enumerate(boxes):
        if all(iou(box, boxes[kept]) <= 0.3 for kept in expected if boxes[kept][5] == box[5]):
            expected.append(place)

    assert suppress(boxes, 0.3).tolist() == expected
    assert 0 < len(expected) < 120


def test_boxes_of_classes_beyond_the_track_s_are_dropped() -> None:
    """A head of three classes on a track of two; the second anchor is surest of the third."""
    wider = replace(YOLO, options={"box_rows": 7})
    anchors = np.array([(8, 8, 4, 4, 0.9, 0.1, 0.0), (20, 20, 4, 4, 0.3, 0.1, 0.8)], np.float32)

    rows = to_rows(anchors.T[None], batch=1, request=wider)

    assert found(rows[0]) == [[6.0, 6.0, 10.0, 10.0, 0.9, 0.0]]
