"""The pinned robustness suite: what media go through on their way over the internet (pure, on arrays).

The numbers are constants and no options: a score of robustness means something only where everybody's
media were worn in the same way.
"""

from __future__ import annotations

from math import gcd
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

VERSION: Final = "2"

HALF: Final = 0.5
SHORTEST_SIDE: Final = 256
FIRST_JPEG_QUALITY: Final = 55
WEBP_QUALITY: Final = 75
LAST_JPEG_QUALITY: Final = 80

VIDEO_CRF: Final = 23
VIDEO_FPS: Final = 25

TELEPHONE_RATE: Final = 8_000
GAIN_DB: Final = -6.0
NOISE_SNR_DB: Final = 30.0

Picture = NDArray[np.uint8]
Sound = NDArray[np.float32]


def wear_picture(picture: Picture) -> Picture:
    """Halve a picture (height, width, BGR), blow it up again, and compress it three times over."""
    height, width = picture.shape[:2]
    worn = _resize(_halved(picture), height, width, cv2.INTER_LINEAR)
    subsampled = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    worn = _through(worn, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, FIRST_JPEG_QUALITY, *subsampled])
    worn = _through(worn, ".webp", [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])
    return _through(worn, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, LAST_JPEG_QUALITY, *subsampled])


def halve_frame(frame: Picture) -> Picture:
    """Halve a frame, and cut an odd row or column off: 4:2:0 has none, and would silently change the codec."""
    frame = _halved(frame)
    if 1 in frame.shape[:2]:
        frame = _resize(frame, max(2, frame.shape[0]), max(2, frame.shape[1]), cv2.INTER_LINEAR)
    height, width = (side // 2 * 2 for side in frame.shape[:2])
    return frame[:height, :width]


def wear_sound(sound: Sound, *, rate: int, seed: int) -> Sound:
    """Take a sound through a telephone, make it quieter and add white noise 30 dB below it."""
    common = gcd(rate, TELEPHONE_RATE)
    up, down = rate // common, TELEPHONE_RATE // common
    wide = sound
    if up > down:
        wide = resample_poly(resample_poly(sound, down, up), up, down)[: len(sound)]
    quiet = wide.astype(np.float64) * 10 ** (GAIN_DB / 20)
    power = float(np.mean(np.square(quiet)))
    spread = np.sqrt(power / 10 ** (NOISE_SNR_DB / 10))
    noise = np.random.default_rng(seed).standard_normal(len(sound)) * spread
    return np.clip(quiet + noise, -1, 1).astype(np.float32)


def _halved(picture: Picture) -> Picture:
    """Halve both sides, each to 256 pixels at least; what would not shrink in both stays as it is."""
    sides = picture.shape[:2]
    height, width = (max(SHORTEST_SIDE, round(side * HALF)) for side in sides)
    return (
        _resize(picture, height, width, cv2.INTER_AREA) if height < sides[0] and width < sides[1] else picture
    )


def _resize(picture: Picture, height: int, width: int, how: int) -> Picture:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), dtype=np.uint8)


def _through(picture: Picture, codec: str, settings: list[int]) -> Picture:
    encoded, content = cv2.imencode(codec, picture, settings)
    if not encoded:
        raise ValueError(f"{codec} cannot hold a picture of {picture.shape}")
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), dtype=np.uint8)
