"""Writes a BYOM package into entry/: three documents and a traced model. Put your own model here."""

import json
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

ENTRY = Path(__file__).parent / "entry"
SIZE, CLASSES = 64, 10
SHAPE = [1, 3, SIZE, SIZE]

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CELL, TEMPLATE = 2, 16
SIZES = (10, 12, 14, 16)  # of a digit, in cells of 2 pixels
LIGHTEST, STEEPNESS = 0.62, 6.0  # of ink, where black is 0 and white is 1, and how fast ink becomes full
HIDDEN = 500  # digits that the sample data and the demonstration's hidden data are made of


def mean_digits() -> Tensor:
    """Return the average picture of each digit, (10, 8, 8), ink from 0 to 1, without the hidden ones."""
    source = load_digits()
    seen = np.random.default_rng(2022).permutation(len(source.target))[HIDDEN:]
    images, labels = source.images[seen] / 16, source.target[seen]
    return torch.tensor(np.stack([images[labels == digit].mean(axis=0) for digit in range(CLASSES)])).float()


def templates() -> Tensor:
    """Return each digit in each size, (40, 1, 16, 16), as it is drawn: with strokes of full ink."""
    drawn = []
    for size in SIZES:
        scaled = nn.functional.interpolate(mean_digits()[:, None], size=(size, size), mode="bicubic")
        before, after = (TEMPLATE - size) // 2, (TEMPLATE - size + 1) // 2
        drawn.append(nn.functional.pad((2.5 * (scaled - 0.25)).clamp(0, 1), (before, after, before, after)))
    return torch.stack(drawn, dim=1).flatten(0, 1)


class DigitReader(nn.Module):
    """Map normalised RGB pictures, shape (N, 3, 64, 64), to logits (N, 10): how well each digit fits somewhere."""

    def __init__(self) -> None:
        super().__init__()
        # Ink is dark: the mean of the colours as they were before the normalisation, turned round.
        self.ink = nn.Conv2d(3, 1, 1)
        self.ink.weight.data = -STEEPNESS / 3 * torch.tensor(STD).view(1, 3, 1, 1)
        self.ink.bias.data = STEEPNESS * (LIGHTEST - torch.tensor([MEAN]).mean(dim=1))
        # The nearest template w to ink x: -|x - w|^2 / 2 without |x|^2 / 2, which is the same for all templates.
        self.fits = nn.Conv2d(1, CLASSES * len(SIZES), TEMPLATE, padding=TEMPLATE // 2)
        self.fits.weight.data = templates()
        self.fits.bias.data = -self.fits.weight.square().sum(dim=(1, 2, 3)) / 2

    def forward(self, images: Tensor) -> Tensor:
        """Lay every template on every place; the best place and size count."""
        ink = nn.functional.avg_pool2d(self.ink(images).clamp(0, 1), CELL)
        return self.fits(ink).amax(dim=(2, 3)).unflatten(1, (CLASSES, len(SIZES))).amax(dim=2)


stage = {
    "type": "classification",
    "input_shape": SHAPE,
    "output_shape": [1, CLASSES],
    "num_classes": CLASSES,
}
manifest = {
    "model_graph": {"stages": [stage]},
    "input_shape": SHAPE,
    "compilable_models": [
        {"filename": "model.pt", "data_input_config": {"input": SHAPE}, "framework": "PYTORCH"}
    ],
    "preprocessing": {
        "resize": [SIZE, SIZE],
        "normalize": {"mean": MEAN, "std": STD},
        "channel_order": "RGB",
    },
    "postprocessing": {"type": "softmax"},
}
mochi = {"stages": [stage], "model_info": {"name": "starter", "version": "1.0.0", "framework": "pytorch"}}

artifacts = ENTRY / "export_artifacts"
artifacts.mkdir(parents=True, exist_ok=True)
(ENTRY / "config.yaml").write_text(
    f"dataset:\n  image_width: {SIZE}\n  image_height: {SIZE}\n  num_classes: {CLASSES}\n"
)
(ENTRY / "mochi.json").write_text(json.dumps(mochi, indent=2) + "\n")
(artifacts / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
torch.jit.trace(DigitReader().eval(), torch.rand(SHAPE)).save(artifacts / "model.pt")
