"""Our metrics in the shape of AI Hub's evaluators: batches in, one number out, in percent where it is a share.

For code that is written against that shape. It runs outside the sandbox, on outputs and truth that
are here already; an evaluator that an entry brings along is never asked.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import IGNORED_CLASS, METRIC_FACTS, Metric, OutputKind, ScoreValue
from scoring.errors import Fault, Rejected, render
from scoring.metrics import score

PERCENT: Final = 100.0


class MetricEvaluator:
    """Collects batches and scores them together, by one metric and those shown with it."""

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
        """Take in one batch of outputs and truths; raises ValueError where they do not fit each other.

        Logits (N, classes) with class numbers (N,) or (N, 1); or class maps (N, H, W), or the logits of
        each pixel (N, classes, H, W), with masks (N, H, W).
        """
        found, truth = np.asarray(output), np.asarray(ground_truth)
        if len(found) != len(truth):
            raise ValueError(f"{len(found)} outputs for {len(truth)} truths")
        if METRIC_FACTS[self._metrics[0]].output is OutputKind.CLASS_MAP:
            found, truth = _class_map(found), _mask(truth, self._classes)
        else:
            truth = truth.reshape(len(truth)).astype(np.int64)
        self._outputs.append(found.astype(np.float32).reshape(len(found), -1))
        self._truths.append(truth)

    def reset(self) -> None:
        """Forget all batches."""
        self._outputs.clear()
        self._truths.clear()

    def get_accuracy_score(self) -> float:
        """Return the first metric, in percent if it goes from 0 to 1; raises ValueError if it has no value."""
        metric = self._metrics[0]
        value = self._scores()[metric].value
        return PERCENT * value if METRIC_FACTS[metric].is_share else value

    def formatted_accuracy(self) -> str:
        """Return each metric with its title."""
        scores = self._scores()
        return ", ".join(
            f"{_formatted(metric, scores[metric].value)} ({METRIC_FACTS[metric].title})"
            for metric in self._metrics
        )

    def _scores(self) -> dict[str, ScoreValue]:
        if not self._outputs:
            raise ValueError("no batch was added")
        metric, *extra = self._metrics
        truths, outputs = np.concatenate(self._truths), np.concatenate(self._outputs)
        try:
            return score(metric, tuple(extra), truths, outputs, classes=self._classes)
        except Fault as exc:
            # The caller chose metric and truth, so this is not a fault of the server.
            raise ValueError(str(exc)) from exc
        except Rejected as exc:
            raise ValueError(render(exc.findings[0]).message) from exc


def _class_map(output: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the class of each pixel; one plane holds class numbers, several hold logits."""
    if output.ndim != 4:
        return output
    return output[:, 0] if output.shape[1] == 1 else np.asarray(output.argmax(axis=1))


def _mask(truth: NDArray[np.generic], classes: int) -> NDArray[np.uint8]:
    """Return the mask; as in the original, pixels whose truth is not a class are ignored."""
    numbers = truth.astype(np.int64)
    return np.where((numbers >= 0) & (numbers < classes), numbers, IGNORED_CLASS).astype(np.uint8)


def _formatted(metric: Metric, value: float) -> str:
    return f"{PERCENT * value:.1f}%" if METRIC_FACTS[metric].is_share else f"{value:.4f}"


def classification_evaluator() -> MetricEvaluator:
    """Evaluate logits by the share of right first and first five guesses."""
    return MetricEvaluator(Metric.ACCURACY, Metric.TOP5_ACCURACY)


def segmentation_evaluator(classes: int) -> MetricEvaluator:
    """Evaluate class maps, or the logits of each pixel, by mean intersection over union."""
    return MetricEvaluator(Metric.MIOU, Metric.PIXEL_ACCURACY, classes=classes)
