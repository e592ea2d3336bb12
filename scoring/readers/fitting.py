"""Brings a picture of any size to height x width; shared by images and frames of video."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Fit, InputContract
from scoring.readers.torchvision_fit import resize_then_crop

Picture = NDArray[np.uint8]


def fit(picture: Picture, contract: InputContract) -> Picture:
    """Return the picture, (h, w, planes), as (height, width, planes) of the contract."""
    return _POLICIES[contract.fit](picture, contract)


def fit_key(contract: InputContract) -> tuple[object, ...]:
    """Name what of the contract decides how pictures are fitted."""
    if contract.fit is not Fit.TORCHVISION:
        return (contract.fit,)
    return (contract.fit, contract.resize, contract.crop, contract.interpolation, contract.antialias)


def stretch(picture: Picture, contract: InputContract) -> Picture:
    """Resize by area where it shrinks in both directions, else bilinearly; aspect is not kept."""
    *_, height, width = contract.sides()
    shrinks = picture.shape[0] >= height and picture.shape[1] >= width
    return _resize(picture, height, width, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def shortest_edge_then_centre_crop(picture: Picture, contract: InputContract) -> Picture:
    """Resize bilinearly, aspect kept, until the target is just covered; then cut its middle out."""
    *_, height, width = contract.sides()
    scale = max(height / picture.shape[0], width / picture.shape[1])
    # Rounding must not make the covering side smaller than what is cut out of it.
    tall = max(height, round(picture.shape[0] * scale))
    wide = max(width, round(picture.shape[1] * scale))
    return centre_crop(_resize(picture, tall, wide, cv2.INTER_LINEAR), height, width)


def crop_to_aspect_then_resize(picture: Picture, contract: InputContract) -> Picture:
    """Cut the largest middle part of the target's aspect out, then resize it bilinearly."""
    *_, height, width = contract.sides()
    scale = min(picture.shape[0] / height, picture.shape[1] / width)
    tall = max(1, min(picture.shape[0], round(height * scale)))
    wide = max(1, min(picture.shape[1], round(width * scale)))
    return _resize(centre_crop(picture, tall, wide), height, width, cv2.INTER_LINEAR)


def centre_crop(picture: Picture, height: int, width: int) -> Picture:
    """Cut the middle out; what cannot be halved leaves one more row or column after it."""
    top = (picture.shape[0] - height) // 2
    left = (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]


def _resize(picture: Picture, height: int, width: int, how: int) -> Picture:
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), dtype=np.uint8)


_POLICIES: Final[Mapping[Fit, Callable[[Picture, InputContract], Picture]]] = {
    Fit.STRETCH: stretch,
    Fit.SHORTEST_EDGE_THEN_CENTRE_CROP: shortest_edge_then_centre_crop,
    Fit.CROP_TO_ASPECT_THEN_RESIZE: crop_to_aspect_then_resize,
    Fit.TORCHVISION: resize_then_crop,
}
