"""Evaluators give what the metrics give, in percent, however the batches are cut."""

import numpy as np
import pytest

from scoring.contracts import Metric
from scoring.metrics import score
from scoring.metrics.evaluators import MetricEvaluator, classification_evaluator, segmentation_evaluator

MASK = np.array([[[0, 0], [1, 1]]])
MAP = np.array([[[0, 0], [0, 1]]])
MIOU = 100 * (2 / 3 + 1 / 2) / 2
LABELS = np.array([0, 1, 2, 3])
LOGITS = np.eye(8, dtype=np.float32)[[0, 1, 2, 7]]


def test_batches_count_together() -> None:
    evaluator = classification_evaluator()

    evaluator.add_batch(LOGITS[:3], LABELS[:3])
    evaluator.add_batch(LOGITS[3:], LABELS[3:])

    assert evaluator.get_accuracy_score() == 75.0


def test_words_name_both_shares() -> None:
    evaluator = classification_evaluator()
    evaluator.add_batch(LOGITS, LABELS)

    assert evaluator.formatted_accuracy() == "75.0% (Accuracy), 100.0% (Top-5 accuracy)"


def test_fewer_than_five_classes_are_enough() -> None:
    evaluator = classification_evaluator()
    evaluator.add_batch(np.eye(3, dtype=np.float32), np.array([0, 1, 2]))

    assert evaluator.get_accuracy_score() == 100.0


@pytest.mark.parametrize("labels", [LABELS[:, None], LABELS.astype(np.float32)])
def test_class_numbers_may_be_a_column_and_floats(labels: np.ndarray) -> None:
    evaluator = classification_evaluator()

    evaluator.add_batch(LOGITS, labels)

    assert evaluator.get_accuracy_score() == 75.0


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(MAP, id="class numbers"),
        pytest.param(MAP[:, None], id="one plane"),
        pytest.param(np.eye(3)[MAP].transpose(0, 3, 1, 2), id="logits"),
    ],
)
def test_class_maps_are_scored_by_mean_intersection_over_union(output: np.ndarray) -> None:
    evaluator = segmentation_evaluator(2)

    evaluator.add_batch(output, MASK)

    assert evaluator.get_accuracy_score() == pytest.approx(MIOU)


@pytest.mark.parametrize("outside", [-1, 2, 255, 1_000])
def test_pixels_whose_truth_is_no_class_count_for_nothing(outside: int) -> None:
    evaluator = segmentation_evaluator(2)

    evaluator.add_batch(MAP, MASK)
    evaluator.add_batch(MAP, np.full_like(MASK, outside))

    assert evaluator.get_accuracy_score() == pytest.approx(MIOU)


@pytest.mark.parametrize("metric", [Metric.MCC, Metric.BRIER, Metric.CROSS_ENTROPY])
def test_only_what_goes_from_zero_to_one_is_a_percentage(metric: Metric) -> None:
    evaluator = MetricEvaluator(metric, Metric.ACCURACY)
    evaluator.add_batch(LOGITS, LABELS)

    expected = score(metric, (), LABELS, LOGITS)[metric].value

    assert evaluator.get_accuracy_score() == expected
    assert evaluator.formatted_accuracy().split(" ")[0] == f"{expected:.4f}"
    assert evaluator.formatted_accuracy().endswith("75.0% (Accuracy)")


@pytest.mark.parametrize(
    ("output", "labels"),
    [
        pytest.param(LOGITS, LABELS + 90, id="a label that is no class"),
        pytest.param(np.full_like(LOGITS, np.nan), LABELS, id="no number"),
        pytest.param(LOGITS, np.stack([LABELS, LABELS], axis=1), id="two labels each"),
    ],
)
def test_what_cannot_be_scored_is_an_error_of_the_caller(output: np.ndarray, labels: np.ndarray) -> None:
    evaluator = classification_evaluator()

    with pytest.raises(ValueError, match=r"\w"):
        _score_of(evaluator, output, labels)


def _score_of(evaluator: MetricEvaluator, output: np.ndarray, labels: np.ndarray) -> float:
    evaluator.add_batch(output, labels)
    return evaluator.get_accuracy_score()


def test_a_reset_forgets_all() -> None:
    evaluator = classification_evaluator()
    evaluator.add_batch(LOGITS, LABELS)

    evaluator.reset()

    with pytest.raises(ValueError, match="no batch"):
        evaluator.get_accuracy_score()


def test_a_batch_of_two_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="4 outputs for 3 truths"):
        classification_evaluator().add_batch(LOGITS, LABELS[:3])


@pytest.mark.parametrize(("metric", "distance"), [(Metric.ACCURACY, False), (Metric.BRIER, True)])
def test_the_direction_is_the_metrics(metric: Metric, distance: bool) -> None:
    evaluator = MetricEvaluator(metric)

    assert (evaluator.is_distance_metric, evaluator.higher_is_better) == (distance, not distance)
