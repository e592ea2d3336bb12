"""The fit `torchvision` against torchvision itself: to the bit through Pillow, within a level on tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from scoring.contracts import WITHOUT_ANTIALIAS, Fit, InputContract, Interpolation
from scoring.readers.fitting import fit
from scoring.sandboxed.torchvision_ops import declare_missing_operators

SIZES = [
    (256, 256),
    (300, 400),
    (401, 299),
    (224, 224),
    (80, 60),
    (17, 500),
    (500, 17),
    (256, 257),
    (1, 1),
    (223, 300),
]
CHAINS = [
    ((256,), (224,)),
    ((232,), (224, 224)),
    ((256, 300), (224,)),
    ((100,), (224,)),
    (None, None),
    ((224, 224), None),
]


@pytest.fixture(scope="module")
def transforms():
    declare_missing_operators()
    from torchvision import transforms

    return transforms


def picture(height: int, width: int) -> np.ndarray:
    """Return noise over a slope, so that every filter has something to smooth and to ring at."""
    random = np.random.default_rng(height * 1_000 + width)
    slope = np.linspace(0, 200, width)[None, :, None] + np.linspace(0, 55, height)[:, None, None]
    return (slope + random.integers(-60, 60, (height, width, 3))).clip(0, 255).astype(np.uint8)


def contract(resize, crop, **stated) -> InputContract:
    return InputContract(shape=(3, 224, 224), fit=Fit.TORCHVISION, resize=resize, crop=crop, **stated)


def chain(transforms, resize, crop, **options):
    """Return torchvision's own transforms."""
    size = (224, 224) if resize is None else resize[0] if len(resize) == 1 else resize
    first = transforms.Resize(size, **options)
    return first if crop is None else transforms.Compose([first, transforms.CenterCrop(crop)])


@pytest.mark.parametrize(("resize", "crop"), CHAINS)
@pytest.mark.parametrize("size", SIZES)
def test_pictures_are_equal_to_the_bit(transforms, size, resize, crop) -> None:
    given = picture(*size)
    expected = np.asarray(chain(transforms, resize, crop)(Image.fromarray(given)))

    assert np.array_equal(fit(given, contract(resize, crop)), expected)


@pytest.mark.parametrize("interpolation", Interpolation)
@pytest.mark.parametrize("size", [(300, 400), (80, 60)])
def test_every_filter_is_torchvisions_by_its_name(transforms, interpolation, size) -> None:
    given = picture(*size)
    named = transforms.InterpolationMode(interpolation.value)
    expected = np.asarray(chain(transforms, (256,), (224,), interpolation=named)(Image.fromarray(given)))

    found = fit(given, contract((256,), (224,), interpolation=interpolation))

    assert np.array_equal(found, expected)


@pytest.mark.parametrize("interpolation", sorted(WITHOUT_ANTIALIAS))
@pytest.mark.parametrize(("resize", "crop"), CHAINS)
@pytest.mark.parametrize("size", SIZES)
def test_without_antialiasing_they_are_within_one_level_of_tensors(
    transforms, size, resize, crop, interpolation
) -> None:
    given = picture(*size)
    named = transforms.InterpolationMode(interpolation.value)
    tensors = chain(transforms, resize, crop, interpolation=named, antialias=False)
    expected = tensors(torch.from_numpy(given.transpose(2, 0, 1).copy())).numpy().transpose(1, 2, 0)

    found = fit(given, contract(resize, crop, interpolation=interpolation, antialias=False))

    assert np.abs(found.astype(int) - expected).max() <= 1


def test_antialiasing_makes_a_difference() -> None:
    given = picture(900, 900)

    smooth, rough = (fit(given, contract((256,), (224,), antialias=wanted)) for wanted in (True, False))

    assert smooth.astype(float).std() < rough.astype(float).std()
