"""From a picture's file to what a BYOM model is fed: size, channel order and normalisation in numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from scoring.contracts import Format, Package, Request, Task, Unpacked, UnpackedFile
from scoring.packages import byom
from scoring.readers.image import decode
from scoring.sandboxed.loaders import byom as loader
from scoring.tracks import load_track
from tests.golden.byom import MODEL, SIDE, byom_files

MANIFEST = "export_artifacts/manifest.json"
TRACK = load_track("byom-classification").spec
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class MeansAndCorners(nn.Module):
    """Return the mean of each channel, its first and its last pixel, and one zero: ten numbers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat(
            [x.mean((2, 3)), x[:, :, 0, 0], x[:, :, -1, -1], torch.zeros_like(x[:, :1, 0, 0])], 1
        )


def package(root: Path, order: str) -> Package:
    normalise = {"mean": list(MEAN), "std": list(STD)}
    changes = {MANIFEST: {"preprocessing.normalize": normalise, "preprocessing.channel_order": order}}
    for name, raw in byom_files({"set": changes}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(raw)
    torch.jit.trace(MeansAndCorners(), torch.rand(1, 3, SIDE, SIDE)).save(root / MODEL)
    paths = (path for path in root.rglob("*") if path.is_file())
    listed = tuple(UnpackedFile(path=str(path.relative_to(root)), size=1) for path in paths)
    found = byom.match(Unpacked(root=root, files=listed, package_bytes=0))
    assert isinstance(found, Package)
    return found


@pytest.mark.parametrize(("order", "channels"), [("RGB", [0, 1, 2]), ("BGR", [2, 1, 0])])
def test_a_model_is_fed_the_picture_in_its_size_order_and_normalisation(
    tmp_path: Path, order: str, channels: list[int]
) -> None:
    # Blocks of four equal pixels, twice the size on each side: halved, they are one pixel each.
    small = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(small.repeat(2, axis=0).repeat(2, axis=1)).save(tmp_path / "picture.png")
    found = package(tmp_path / "package", order)
    settled = byom.settle(found, TRACK)
    request = Request(
        task=Task.MEASURE,
        format=Format.BYOM,
        main=found.main,
        input=settled.track.input,
        output=settled.track.output,
        samples=1,
        batch_size=1,
        threads=1,
        seed=0,
        options=dict(settled.options),
    )

    pixels = decode(tmp_path / "picture.png", settled.track.input)[None]
    row = loader.load(found.root, request).predict(pixels)[0]

    fed = (small[:, :, channels] / 255 - MEAN) / STD
    expected = [*fed.mean((0, 1)), *fed[0, 0], *fed[-1, -1], 0.0]
    np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-5)
