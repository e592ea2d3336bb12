"""torchvision's `Resize` and `CenterCrop` on bytes, pixel by pixel as torchvision does them, without loading torch.

Antialiased, pictures go through Pillow, as torchvision's own do, and are equal to the last bit. Without
antialiasing torchvision works on tensors; OpenCV does the same and may be one level off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scoring.contracts import InputContract, Interpolation

Picture = NDArray[np.uint8]

_SMOOTHING: Final[Mapping[Interpolation, Image.Resampling]] = {
    Interpolation.NEAREST: Image.Resampling.NEAREST,
    Interpolation.BILINEAR: Image.Resampling.BILINEAR,
    Interpolation.BICUBIC: Image.Resampling.BICUBIC,
    Interpolation.BOX: Image.Resampling.BOX,
    Interpolation.HAMMING: Image.Resampling.HAMMING,
    Interpolation.LANCZOS: Image.Resampling.LANCZOS,
}
_PLAIN: Final[Mapping[Interpolation, int]] = {
    Interpolation.BILINEAR: cv2.INTER_LINEAR,
    Interpolation.BICUBIC: cv2.INTER_CUBIC,
}


def resize_then_crop(picture: Picture, contract: InputContract) -> Picture:
    """Return the picture, (h, w, planes), as the contract's `resize` and `crop` say."""
    *_, height, width = contract.sides()
    tall, wide = _resized(picture.shape[:2], contract.resize or (height, width))
    picture = _resize(picture, tall, wide, contract)
    return picture if contract.crop is None else _centre_crop(picture, height, width)


def _resized(size: Sequence[int], wanted: Sequence[int]) -> tuple[int, int]:
    """Return height and width after `Resize`: two numbers are these, one is the shorter edge."""
    if len(wanted) == 2:
        return wanted[0], wanted[1]
    height, width = size
    shorter, longer = wanted[0], int(wanted[0] * max(size) / min(size))
    return (longer, shorter) if width <= height else (shorter, longer)


def _resize(picture: Picture, height: int, width: int, contract: InputContract) -> Picture:
    if picture.shape[:2] == (height, width):
        return picture
    if contract.antialias:
        image = Image.fromarray(np.ascontiguousarray(picture))
        return np.asarray(image.resize((width, height), _SMOOTHING[contract.interpolation]))
    if contract.interpolation is Interpolation.NEAREST:
        return picture[_nearest(picture.shape[0], height)][:, _nearest(picture.shape[1], width)]
    plain = _PLAIN[contract.interpolation]
    return np.asarray(cv2.resize(picture, (width, height), interpolation=plain), dtype=np.uint8)


def _nearest(side: int, wanted: int) -> NDArray[np.intp]:
    """Return which row or column each of the wanted ones is, in the precision in which torch finds out."""
    scale = np.float32(side) / np.float32(wanted)
    places = np.arange(wanted, dtype=np.float32) * scale
    return np.minimum(places.astype(np.intp), side - 1)


def _centre_crop(picture: Picture, height: int, width: int) -> Picture:
    """Cut the middle out; what is smaller gets black edges first, the wider ones right and below."""
    missing = [max(0, wanted - side) for wanted, side in zip((height, width), picture.shape, strict=False)]
    if any(missing):
        edges = [(lacking // 2, (lacking + 1) // 2) for lacking in missing]
        picture = np.pad(picture, [*edges, (0, 0)])
    top, left = (
        round((side - wanted) / 2) for side, wanted in zip(picture.shape, (height, width), strict=False)
    )
    return picture[top : top + height, left : left + width]
