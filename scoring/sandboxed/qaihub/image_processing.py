"""The normalisation that models merge into their forward pass."""

from __future__ import annotations

import torch

__all__ = ["IMAGENET_DIM", "normalize_image_torchvision"]

IMAGENET_DIM = 224
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalize_image_torchvision(
    image_tensor: torch.Tensor, image_tensor_has_batch: bool = True
) -> torch.Tensor:
    """Take ImageNet's mean from RGB pixels in [0, 1] and divide by its deviation."""
    shape = (1, 3, 1, 1) if image_tensor_has_batch else (3, 1, 1)
    mean, std = (torch.tensor(values).reshape(shape) for values in (MEAN, STD))
    return (image_tensor - mean) / std
