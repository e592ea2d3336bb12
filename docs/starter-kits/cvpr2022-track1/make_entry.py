"""Writes entry/weights.pt. Put your training here; these weights are averages of handwritten digits."""

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

ENTRY = Path(__file__).parent / "entry"
DIGITS, CLASSES, TEMPLATE = 10, 100, 16
SIZES = (10, 12, 14, 16)  # of a digit, in cells of 7 pixels
HIDDEN = 500  # digits that the sample data and the demonstration's hidden data are made of


def mean_digits() -> Tensor:
    """Return the average picture of each digit, (10, 8, 8), ink from 0 to 1, without the hidden ones."""
    source = load_digits()
    seen = np.random.default_rng(2022).permutation(len(source.target))[HIDDEN:]
    images, labels = source.images[seen] / 16, source.target[seen]
    return torch.tensor(np.stack([images[labels == digit].mean(axis=0) for digit in range(DIGITS)])).float()


def templates() -> Tensor:
    """Return each digit in each size, (40, 1, 16, 16), as it is drawn: with strokes of full ink."""
    drawn = []
    for size in SIZES:
        scaled = nn.functional.interpolate(mean_digits()[:, None], size=(size, size), mode="bicubic")
        before, after = (TEMPLATE - size) // 2, (TEMPLATE - size + 1) // 2
        drawn.append(nn.functional.pad((2.5 * (scaled - 0.25)).clamp(0, 1), (before, after, before, after)))
    return torch.stack(drawn, dim=1).flatten(0, 1)


def pairs() -> Tensor:
    """Return weights that give class 10 * blue + red the sum of how well both digits fit."""
    weights = torch.zeros(CLASSES, 2 * DIGITS)
    for label in range(CLASSES):
        blue, red = divmod(label, DIGITS)
        weights[label, [blue, DIGITS + red]] = 1.0
    return weights


# The nearest template w to ink x: -|x - w|^2 / 2 without |x|^2 / 2, which is the same for all templates.
kernels = templates()
weights = {
    "inks.weight": 2.2 * torch.tensor([[1.0, 0.0, -1.0], [-1.0, 0.0, 1.0]]).view(2, 3, 1, 1),
    "inks.bias": torch.full((2,), -0.25),
    "templates.weight": kernels,
    "templates.bias": -kernels.square().sum(dim=(1, 2, 3)) / 2,
    "classify.weight": pairs(),
    "classify.bias": torch.zeros(CLASSES),
}
torch.save(weights, ENTRY / "weights.pt")
