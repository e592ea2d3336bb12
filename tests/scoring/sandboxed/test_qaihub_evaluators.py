"""The evaluators that a folder's model may name: they count as the library's do."""

from __future__ import annotations

import pytest
import torch

from scoring.sandboxed.qaihub.segmentation_evaluator import SegmentationOutputEvaluator

TRUTH = torch.tensor([[[0, 0], [1, 1]]])
FOUND = torch.tensor([[[0, 0], [0, 1]]])
MIOU = 100 * (2 / 3 + 1 / 2) / 2


def logits(classes: torch.Tensor, width: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(classes, width).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("output", [FOUND, FOUND.float(), logits(FOUND, 3)])
def test_class_numbers_and_logits_count_alike(output):
    evaluator = SegmentationOutputEvaluator(3)

    evaluator.add_batch(output, TRUTH)

    assert evaluator.get_accuracy_score() == pytest.approx(MIOU)
    assert (evaluator.formatted_accuracy(), evaluator.is_distance_metric) == (f"{MIOU:.3f} mIOU", False)


@pytest.mark.parametrize("outside", [-1, 3, 255])
def test_pixels_whose_truth_is_no_class_count_for_nothing(outside):
    evaluator = SegmentationOutputEvaluator(3)

    evaluator.add_batch(FOUND, TRUTH)
    evaluator.add_batch(FOUND, torch.full_like(TRUTH, outside))

    assert evaluator.get_accuracy_score() == pytest.approx(MIOU)


def test_outputs_are_brought_to_the_size_of_the_truth_where_asked():
    evaluator = SegmentationOutputEvaluator(2, resize_to_gt=True)
    truth = torch.tensor([[[0, 0, 1, 1]] * 4])

    evaluator.add_batch(logits(torch.tensor([[[0, 1]] * 2]), 2), truth)

    assert evaluator.get_accuracy_score() == 100.0


def test_a_reset_forgets_all():
    evaluator = SegmentationOutputEvaluator(2)
    evaluator.add_batch(FOUND, TRUTH)

    evaluator.reset()
    evaluator.add_batch(TRUTH, TRUTH)

    assert evaluator.get_accuracy_score() == 100.0


def test_outputs_of_another_size_are_refused():
    with pytest.raises(ValueError, match="outputs of"):
        SegmentationOutputEvaluator(2).add_batch(FOUND[:, :1], TRUTH)
