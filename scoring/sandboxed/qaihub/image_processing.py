"""The normalisation that models merge into their forward pass, and the transforms of pictures that they name."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torchvision.transforms import Compose

__all__ = ["IMAGENET_DIM", "IMAGENET_TRANSFORM", "make_imagenet_transform", "normalize_image_torchvision"]

IMAGENET_DIM = 224
RESIZED_DIM = 256
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalize_image_torchvision(
    image_tensor: torch.Tensor, image_tensor_has_batch: bool = True, is_video: bool = False
) -> torch.Tensor:
    """Take ImageNet's mean from RGB values in [0, 1] and divide by its deviation."""
    shape = (1,) * image_tensor_has_batch + (3,) + (1,) * is_video + (1, 1)
    mean, std = (torch.tensor(values).reshape(shape) for values in (MEAN, STD))
    return (image_tensor - mean) / std


def make_imagenet_transform(
    crop_size: int, resize_size: int | None = None, interpolation: Any = None, antialias: bool = True
) -> Compose:
    """Resize the shorter edge, then cut out the middle. Podium's tracks state theirs; a model may name its own."""
    from torchvision import transforms

    return transforms.Compose(
        [
            transforms.Resize(
                resize_size or round(crop_size * RESIZED_DIM / IMAGENET_DIM),
                interpolation=interpolation or transforms.InterpolationMode.BILINEAR,
                antialias=antialias,
            ),
            transforms.CenterCrop(crop_size),
            transforms.ToTensor(),
        ]
    )


class _ImagenetTransform:
    """The transform of most models, made when it is used: torchvision's take a second to import."""

    @cached_property
    def _made(self) -> Compose:
        return make_imagenet_transform(IMAGENET_DIM)

    def __call__(self, image: Any) -> Any:
        """Return the picture as a tensor."""
        return self._made(image)

    def __getattr__(self, name: str) -> Any:
        """Tell what the transform consists of."""
        return getattr(self._made, name)


IMAGENET_TRANSFORM = _ImagenetTransform()
