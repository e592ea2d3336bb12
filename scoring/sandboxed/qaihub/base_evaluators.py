"""`BaseEvaluator`: what a model may name as its own measure. Podium scores by its own metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

__all__ = ["BaseEvaluator", "MetricMetadata"]


@dataclass(frozen=True)
class MetricMetadata:
    """How a value is to be shown, and how far a device may fall behind it."""

    name: str
    unit: str
    description: str
    range: tuple[float | None, float | None] = (None, None)
    float_vs_device_threshold: float = 10.0


class BaseEvaluator(ABC):
    """Collects batches of outputs and truths, then tells one number."""

    is_distance_metric = False

    @abstractmethod
    def add_batch(self, output: Any, ground_truth: Any) -> None:
        """Take in one batch."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all batches."""

    @abstractmethod
    def get_accuracy_score(self) -> float:
        """Return the number; higher is better."""

    @abstractmethod
    def formatted_accuracy(self) -> str:
        """Return the number for people."""
