"""`ClassificationEvaluator`, which classifiers name as theirs: shares of right first and first five guesses."""

from __future__ import annotations

import torch

from scoring.sandboxed.qaihub.base_evaluators import BaseEvaluator

__all__ = ["ClassificationEvaluator"]


class ClassificationEvaluator(BaseEvaluator):
    """Counts how often the right class is among the first guesses."""

    def __init__(self, num_classes: int = 1000) -> None:
        self.num_classes = num_classes
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.num_top1 = self.num_top5 = self.total = 0

    def add_batch(self, output: torch.Tensor, ground_truth: torch.Tensor) -> None:
        """Take in one batch of logits and class numbers."""
        guesses = output.topk(min(5, output.shape[-1])).indices
        right = guesses == ground_truth.reshape(-1, 1)
        self.num_top1 += int(right[:, 0].sum())
        self.num_top5 += int(right.any(1).sum())
        self.total += len(output)

    def get_accuracy_score(self) -> float:
        """Return the share of right first guesses in percent."""
        return 100 * self.num_top1 / self.total if self.total else 0.0

    def top5(self) -> float:
        """Return the share of truths among five guesses in percent."""
        return 100 * self.num_top5 / self.total if self.total else 0.0

    def formatted_accuracy(self) -> str:
        """Return both shares for people."""
        return f"{self.get_accuracy_score():.1f}% (Top 1), {self.top5():.1f}% (Top 5)"
