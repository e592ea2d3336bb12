"""`TensorSpec`: shape and element type of an input or output, with what a device may need to know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = [
    "BboxFormat",
    "BboxMetadata",
    "ColorFormat",
    "ImageMetadata",
    "IoType",
    "TensorSpec",
]


class IoType(Enum):
    """What a tensor holds."""

    TENSOR = "tensor"
    IMAGE = "image"
    BBOX = "bbox"


class ColorFormat(Enum):
    """The order of an image's channels."""

    RGB = "rgb"
    BGR = "bgr"
    GRAYSCALE = "grayscale"


class BboxFormat(Enum):
    """What the four numbers of a box are."""

    XYXY = "xyxy"
    XYWH = "xywh"
    CXCYWH = "cxcywh"


@dataclass(frozen=True)
class ImageMetadata:
    """What is known of an image."""

    color_format: ColorFormat = ColorFormat.RGB


@dataclass(frozen=True)
class BboxMetadata:
    """What is known of boxes."""

    bbox_format: BboxFormat = BboxFormat.XYXY


@dataclass(frozen=True)
class TensorSpec:
    """A spec that can also be read as the pair (shape, dtype), which it was in older releases."""

    shape: tuple[int, ...] = ()
    dtype: str = ""
    description: str | None = None
    quantization_parameters: Any = None
    io_type: IoType = IoType.TENSOR
    image_metadata: ImageMetadata | None = None
    bbox_metadata: BboxMetadata | None = None
    value_range: tuple[float, float] = (float("-inf"), float("inf"))
    softmax_applied: bool = False
    labels_file: str | None = None
    apply_runtime_channel_reordering: bool = False

    def __getitem__(self, place: int) -> Any:
        """Return the shape or the type."""
        return (self.shape, self.dtype)[place]

    def __len__(self) -> int:
        """Return the length of the pair."""
        return 2

    def __iter__(self) -> Iterator[Any]:
        """Yield shape and type."""
        yield from (self.shape, self.dtype)
