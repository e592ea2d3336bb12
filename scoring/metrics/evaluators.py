"""Our metrics in the shape of AI Hub's evaluators: batches in, one number in percent out.

For code that is written against that shape. It runs outside the sandbox, on outputs and truth that
are here already; an evaluator that an entry brings along is never asked.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import METRIC_FACTS, Metric, ScoreValue
from scoring.metrics import score

PERCENT: Final = 100.0


class MetricEvaluator:
    """Collects batches and scores all of them together by one metric and the ones shown beside it."""

    def __init__(self, metric: Metric, *extra_metrics: Metric, classes: int = 0) -> None:
        self._metrics = (metric, *extra_metrics)
        self._classes = classes
        self._outputs: list[NDArray[np.float32]] = []
        self._truths: list[NDArray[np.generic]] = []

    @property
    def higher_is_better(self) -> bool:
        """Say in which direction the number improves, which the original leaves open."""
        return METRIC_FACTS[self._metrics[0]].higher_is_better

    @property
    def is_distance_metric(self) -> bool:
        """Say the same in the original's words."""
        return not self.higher_is_better

    def add_batch(self, output: NDArray[np.floating], ground_truth: NDArray[np.generic]) -> None:
        """Take in one batch: logits (N, classes) and class numbers, or class maps and masks (N, H, W)."""
        if len(output) != len(ground_truth):
            raise ValueError(f"{len(output)} outputs for {len(ground_truth)} truths")
        self._outputs.append(np.asarray(output, np.float32).reshape(len(output), -1))
        self._truths.append(np.asarray(ground_truth))

    def reset(self) -> None:
        """Forget all batches."""
        self._outputs.clear()
        self._truths.clear()

    def get_accuracy_score(self) -> float:
        """Return the first metric in percent; raises ValueError before the first batch."""
        return PERCENT * self._scores()[self._metrics[0]].value

    def formatted_accuracy(self) -> str:
        """Return each metric in percent with its title."""
        scores = self._scores()
        return ", ".join(
            f"{PERCENT * scores[metric].value:.1f}% ({METRIC_FACTS[metric].title})"
            for metric in self._metrics
        )

    def _scores(self) -> dict[str, ScoreValue]:
        if not self._outputs:
            raise ValueError("no batch was added")
        metric, *extra = self._metrics
        truths = np.concatenate(self._truths)
        return score(metric, tuple(extra), truths, np.concatenate(self._outputs), classes=self._classes)


def classification_evaluator() -> MetricEvaluator:
    """Evaluate logits by the share of right first and first five guesses."""
    return MetricEvaluator(Metric.ACCURACY, Metric.TOP5_ACCURACY)


def segmentation_evaluator(classes: int) -> MetricEvaluator:
    """Evaluate class maps by mean intersection over union."""
    return MetricEvaluator(Metric.MIOU, Metric.PIXEL_ACCURACY, classes=classes)
