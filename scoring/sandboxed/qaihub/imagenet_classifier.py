"""`ImagenetClassifier`, the base of the library's image classifiers: a network behind a normalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import torch
from torch import nn

from scoring.sandboxed.qaihub.asset_loaders import CachedWebModelAsset
from scoring.sandboxed.qaihub.base_evaluators import BaseEvaluator
from scoring.sandboxed.qaihub.base_model import BaseModel
from scoring.sandboxed.qaihub.classification_evaluator import ClassificationEvaluator
from scoring.sandboxed.qaihub.image_processing import (
    IMAGENET_DIM,
    IMAGENET_TRANSFORM,
    MEAN,
    STD,
    normalize_image_torchvision,
)
from scoring.sandboxed.qaihub.input_spec import InputSpec, OutputSpec
from scoring.sandboxed.qaihub.tensor_spec import ImageMetadata, IoType, TensorSpec

__all__ = [
    "IMAGENET_DIM",
    "IMAGENET_TRANSFORM",
    "TEST_IMAGENET_IMAGE",
    "ImagenetClassifier",
    "ImagenetClassifierWithModelBuilder",
    "normalize_image_torchvision",
]

TEST_IMAGENET_IMAGE = CachedWebModelAsset.from_asset_store("imagenet_classifier", 1, "dog.jpg")


class ImagenetClassifier(BaseModel):
    """Takes RGB pixels in [0, 1] and returns one logit for each class."""

    INPUT_DIM: ClassVar[int] = IMAGENET_DIM
    INPUT_TRANSFORM: ClassVar[Any] = IMAGENET_TRANSFORM

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

    def get_input_spec(self, batch_size: int = 1) -> InputSpec:
        """Return the one input."""
        spec = TensorSpec(
            shape=(batch_size, 3, self.INPUT_DIM, self.INPUT_DIM),
            dtype="float32",
            io_type=IoType.IMAGE,
            value_range=(0.0, 1.0),
            image_metadata=ImageMetadata(),
            apply_runtime_channel_reordering=True,
        )
        return {"image_tensor": spec}

    def get_output_spec(self) -> OutputSpec:
        """Return the one output."""
        return {"class_logits": TensorSpec()}

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
