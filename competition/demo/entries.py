"""Entries that need no training: one that knows nothing, and two that Podium must refuse, as visitors shall see."""

from __future__ import annotations

import tempfile
from pathlib import Path

from scoring.files.archiving import pack

BY_CHANCE_MODEL = '''"""What a model scores that has learned nothing: about one in a hundred."""

import torch
from torch import nn


class Model(nn.Module):
    """Map BGR images in [0, 1] to 100 logits, by the mean of each channel and random weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.classify = nn.Linear(3, 100)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, 100) logits."""
        return self.classify(images.mean((2, 3)))
'''
OVER_BUDGET_MODEL = '''"""Too much of everything: 35 M parameters and 7 G MACs, in a zip of a few hundred bytes."""

import torch
from torch import nn


class Model(nn.Module):
    """Map BGR images in [0, 1] to 100 logits, at random."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 512, kernel_size=4, stride=4)
        self.mix = nn.Conv2d(512, 512, kernel_size=3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(8)
        self.widen = nn.Linear(512 * 8 * 8, 1000)
        self.classify = nn.Linear(1000, 100)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, 100) logits."""
        features = self.pool(torch.relu(self.mix(torch.relu(self.patches(images)))))
        return self.classify(torch.relu(self.widen(features.flatten(1))))
'''


def write_untrained_entries(folder: Path) -> None:
    """Write by_chance.zip; over_budget.zip, which breaks both budgets; and broken.zip, which ends too early."""
    folder.mkdir(parents=True, exist_ok=True)
    _pack(BY_CHANCE_MODEL, folder / "by_chance.zip")
    whole = folder / "over_budget.zip"
    _pack(OVER_BUDGET_MODEL, whole)
    content = whole.read_bytes()
    # The start says “zip”, the directory at the end is cut off, as after an interrupted copy.
    (folder / "broken.zip").write_bytes(content[: len(content) // 2])


def _pack(source: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as package:
        Path(package, "model.py").write_text(source, "utf-8")
        pack(Path(package), target)
