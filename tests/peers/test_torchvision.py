"""torchvision's transforms, opened and applied as its users do, on every kind of picture file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scoring.contracts import ChannelOrder, Decoder, Fit, InputContract, Interpolation, Orientation
from scoring.readers import image
from scoring.sandboxed.torchvision_ops import declare_missing_operators
from tests.peers.pictures import write_pictures


@pytest.mark.parametrize("interpolation", Interpolation)
@pytest.mark.parametrize(("resize", "crop"), [(256, 224), (232, 224), (235, 224), (224, 224)])
def test_files_become_the_same_pixels(
    tmp_path: Path, resize: int, crop: int, interpolation: Interpolation
) -> None:
    declare_missing_operators()
    from torchvision import transforms

    named = transforms.InterpolationMode(interpolation.value)
    chain = transforms.Compose([transforms.Resize(resize, interpolation=named), transforms.CenterCrop(crop)])
    contract = InputContract(
        shape=(3, crop, crop),
        channel_order=ChannelOrder.RGB,
        decoder=Decoder.PILLOW,
        orientation=Orientation.AS_STORED,
        fit=Fit.TORCHVISION,
        resize=(resize,),
        crop=(crop,),
        interpolation=interpolation,
    )

    different = []
    for file in write_pictures(tmp_path):
        with Image.open(file) as picture:
            expected = np.asarray(chain(picture.convert("RGB"))).transpose(2, 0, 1)
        if not np.array_equal(image.decode(file, contract), expected):
            different.append(file.name)

    assert different == []
