"""`SegmentationOutputEvaluator`, which segmentation models name as theirs: mean intersection over union."""

from __future__ import annotations

import torch
from torch.nn.functional import interpolate

from scoring.sandboxed.qaihub.base_evaluators import BaseEvaluator

__all__ = ["SegmentationOutputEvaluator"]


class SegmentationOutputEvaluator(BaseEvaluator):
    """Counts pixels by true and predicted class; ignores those whose truth is not a class."""

    def __init__(self, num_classes: int, resize_to_gt: bool = False) -> None:
        self.num_classes = num_classes
        self.resize_to_gt = resize_to_gt
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.confusion_matrix = torch.zeros((self.num_classes, self.num_classes), dtype=torch.int64)

    def add_batch(self, output: torch.Tensor, ground_truth: torch.Tensor) -> None:
        """Take in one batch: logits (N, classes, H, W) or class numbers (N, H, W), and masks (N, H, W)."""
        if self.resize_to_gt:
            output = interpolate(output, ground_truth.shape[-2:], mode="bilinear")
        found = output.argmax(1) if output.dim() == 4 else output.long()
        if found.shape != ground_truth.shape:
            raise ValueError(f"outputs of {tuple(found.shape)} for masks of {tuple(ground_truth.shape)}")
        counted = (ground_truth >= 0) & (ground_truth < self.num_classes)
        places = self.num_classes * ground_truth[counted].long() + found[counted]
        counts = torch.bincount(places, minlength=self.num_classes**2)
        self.confusion_matrix += counts.reshape(self.confusion_matrix.shape)

    def get_accuracy_score(self) -> float:
        """Return the mean intersection over union in percent; classes that nothing names are left out."""
        shared = self.confusion_matrix.diag()
        either = self.confusion_matrix.sum(0) + self.confusion_matrix.sum(1) - shared
        return 100 * float((shared / either).nanmean())

    def formatted_accuracy(self) -> str:
        """Return the number for people."""
        return f"{self.get_accuracy_score():.3f} mIOU"
