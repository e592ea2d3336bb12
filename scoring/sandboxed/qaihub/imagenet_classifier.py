"""`ImagenetClassifier`, the base of the library's image classifiers: a network behind a normalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import torch
from torch import nn

from scoring.sandboxed.qaihub.base_evaluators import BaseEvaluator
from scoring.sandboxed.qaihub.base_model import BaseModel
from scoring.sandboxed.qaihub.classification_evaluator import ClassificationEvaluator
from scoring.sandboxed.qaihub.image_processing import (
    IMAGENET_DIM,
    MEAN,
    STD,
    normalize_image_torchvision,
)
from scoring.sandboxed.qaihub.input_spec import InputSpec

__all__ = ["IMAGENET_DIM", "ImagenetClassifier", "ImagenetClassifierWithModelBuilder"]


class ImagenetClassifier(BaseModel):
    """Takes RGB pixels in [0, 1] and returns one logit for each class."""

    def __init__(self, net: nn.Module, transform_input: bool = False, normalize_input: bool = True) -> None:
        super().__init__()
        self.net = net
        self.transform_input = transform_input
        self.normalize_input = normalize_input

    def forward(self, image_tensor: torch.Tensor) -> Any:
        """Bring the pixels to what the network was trained on, and classify."""
        return self.net(self._brought(image_tensor))

    def _brought(self, pixels: torch.Tensor) -> torch.Tensor:
        if self.normalize_input and self.transform_input:
            # Both together come down to this.
            return pixels * 2 - 1
        if self.normalize_input:
            return normalize_image_torchvision(pixels)
        return _transformed(pixels) if self.transform_input else pixels

    @staticmethod
    def get_input_spec(batch_size: int = 1) -> InputSpec:
        """Return the one input."""
        return {"image_tensor": ((batch_size, 3, IMAGENET_DIM, IMAGENET_DIM), "float32")}

    @staticmethod
    def get_output_names() -> list[str]:
        """Return the one output."""
        return ["class_logits"]

    @classmethod
    def get_evaluator(cls) -> BaseEvaluator:
        """Return what the model would measure itself by."""
        return ClassificationEvaluator()


def _transformed(normalised: torch.Tensor) -> torch.Tensor:
    """Bring normalised pixels to [-1, 1], as some of torchvision's networks do by `transform_input`."""
    mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (MEAN, STD))
    return normalised * (std / 0.5) + (mean - 0.5) / 0.5


class ImagenetClassifierWithModelBuilder(ImagenetClassifier):
    """Builds its network by a function such as `torchvision.models.resnet18`."""

    model_builder: Callable[..., nn.Module]
    DEFAULT_WEIGHTS: ClassVar[Any] = None

    @classmethod
    def from_pretrained(cls, weights: Any = None) -> Self:
        """Build the network; weights that are not in the package cannot be downloaded here."""
        return cls(cls.model_builder(weights=weights or cls.DEFAULT_WEIGHTS))
