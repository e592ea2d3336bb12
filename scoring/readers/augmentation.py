"""Random changes of pictures at levels 0 to 3, each sample by a seed of its own (pure, on arrays).

    0  none
    1  mirrored left to right, and top to bottom, each with probability 1/2
    2  and less colour and less contrast, each of strength 0 or 1
    3  the two of strength 0 to 2, and colour noise and blur of strength 0 to 2

A crop comes first, then the picture is fitted to the input, and all else is done at the input's size.
Strength 0 leaves a picture alone; strength k takes the k-th value of the table. The draws of a sample
depend on its seed alone, so no thread and no other sample can change them. Frames of one clip get the
same changes, apart from their noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

VERSION: Final = "2"
COLOUR: Final = (0.4, 0.3, 0.2, 0.1, 0.0)
CONTRAST: Final = (0.85, 0.725, 0.6, 0.475, 0.35)
NOISE_VARIANCE: Final = (0.001, 0.002, 0.005, 0.01, 0.05)
STUDIO_RANGE: Final = (219, 224, 224)
"""How far brightness and both colours reach in video's YCbCr, in which the noise has its variance."""
BLUR_SIDE: Final = (7, 9, 13, 17, 21)
STRONGEST_COLOUR: Final = {2: 1, 3: 2}
STRONGEST_NOISE: Final = {3: 2}
SMALLEST_CROP: Final = 0.35
LARGEST_CROP: Final = 0.99

Picture = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What befalls one sample. Strengths are 0 for none.

    `crop` is the share of the height and of the width that is kept, and its place: 0 is the top and
    the left, 1 the bottom and the right.
    """

    mirrored: bool = False
    upside_down: bool = False
    colour: int = 0
    contrast: int = 0
    noise: int = 0
    blur: int = 0
    crop: tuple[float, float, float, float] | None = None
    noise_seed: int = 0


def draw(*, level: int, seed: int, crop_probability: float = 0.0) -> Changes:
    """Draw the changes of one sample; the same level, probability and seed draw the same."""
    random = np.random.default_rng(seed)
    # Everything is drawn at every level, so that a higher one only adds to what a lower one does.
    mirrored, upside_down = (random.random(2) < 0.5).tolist()
    shares = random.random(4)
    tall, wide = random.uniform(SMALLEST_CROP, LARGEST_CROP, 2).tolist()
    down, right = random.random(2).tolist()
    cropped = random.random() < crop_probability
    colour, contrast, noise, blur = shares.tolist()
    return Changes(
        mirrored=level >= 1 and mirrored,
        upside_down=level >= 1 and upside_down,
        colour=_strength(colour, STRONGEST_COLOUR.get(level, 0)),
        contrast=_strength(contrast, STRONGEST_COLOUR.get(level, 0)),
        noise=_strength(noise, STRONGEST_NOISE.get(level, 0)),
        blur=_strength(blur, STRONGEST_NOISE.get(level, 0)),
        crop=(tall, wide, down, right) if cropped else None,
        noise_seed=seed,
    )


def change(
    frames: Iterable[Picture], changes: Changes, *, fit: Callable[[Picture], Picture]
) -> Iterator[Picture]:
    """Yield the frames (height, width, BGR) of a clip, or the one picture, changed and fitted to the input."""
    random = np.random.default_rng([changes.noise_seed, 1])
    for frame in frames:
        cropped = _crop(frame, *changes.crop) if changes.crop else frame
        yield _change(fit(cropped), changes, random)


def _change(picture: Picture, changes: Changes, random: np.random.Generator) -> Picture:
    if changes.mirrored:
        picture = picture[:, ::-1]
    if changes.upside_down:
        picture = picture[::-1]
    if changes.colour:
        picture = _less_colour(picture, COLOUR[changes.colour - 1])
    if changes.contrast:
        picture = _rounded(picture * np.float64(CONTRAST[changes.contrast - 1]))
    if changes.noise:
        picture = _noisy(picture, NOISE_VARIANCE[changes.noise - 1], random)
    if changes.blur:
        side = BLUR_SIDE[changes.blur - 1]
        picture = np.asarray(
            cv2.GaussianBlur(np.ascontiguousarray(picture), (side, side), side / 6), np.uint8
        )
    return np.ascontiguousarray(picture)


def _strength(share: float, strongest: int) -> int:
    """Return a whole number from 0 to `strongest`, each as likely as the others."""
    return int(share * (strongest + 1))


def _crop(picture: Picture, tall: float, wide: float, down: float, right: float) -> Picture:
    height, width = picture.shape[:2]
    rows, columns = max(1, int(height * tall)), max(1, int(width * wide))
    top, left = int(down * (height - rows + 1)), int(right * (width - columns + 1))
    return picture[top : top + rows, left : left + columns]


def _less_colour(picture: Picture, share: float) -> Picture:
    planes = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_BGR2YCrCb).astype(np.float64)
    planes[:, :, 1:] = 128 + (planes[:, :, 1:] - 128) * share
    return np.asarray(cv2.cvtColor(_rounded(planes), cv2.COLOR_YCrCb2BGR), dtype=np.uint8)


def _noisy(picture: Picture, variance: float, random: np.random.Generator) -> Picture:
    planes = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_BGR2YCrCb).astype(np.float64)
    spread = 255 * np.sqrt(variance) * 255 / np.array(STUDIO_RANGE)
    planes += spread * random.standard_normal(planes.shape)
    return np.asarray(cv2.cvtColor(_rounded(planes), cv2.COLOR_YCrCb2BGR), dtype=np.uint8)


def _rounded(values: NDArray[np.float64]) -> Picture:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
