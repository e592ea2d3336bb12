"""Evaluators give what the metrics give, in percent, however the batches are cut."""

import numpy as np
import pytest

from scoring.contracts import Metric
from scoring.metrics.evaluators import MetricEvaluator, classification_evaluator, segmentation_evaluator

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


def test_class_maps_are_scored_by_mean_intersection_over_union() -> None:
    evaluator = segmentation_evaluator(2)
    masks = np.array([[[0, 0], [1, 1]]], np.uint8)

    evaluator.add_batch(np.array([[[0, 0], [0, 1]]], np.float32), masks)

    assert evaluator.get_accuracy_score() == pytest.approx(100 * (2 / 3 + 1 / 2) / 2)


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
