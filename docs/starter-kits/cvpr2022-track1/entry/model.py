"""A small network for track 1, untrained: train it, save its state beside this file as weights.pt, pack again."""

from pathlib import Path

import torch
from torch import Tensor, nn

WEIGHTS = Path(__file__).with_name("weights.pt")


class Model(nn.Module):
    """Map BGR images in [0, 1], shape (N, 3, 224, 224), to (N, 100) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=4, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=4, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
        )
        self.classify = nn.Linear(32 * 4 * 4, 100)
        if WEIGHTS.is_file():
            self.load_state_dict(torch.load(WEIGHTS, weights_only=True))

    def forward(self, images: Tensor) -> Tensor:
        """Return one logit for each class."""
        return self.classify(self.features(2 * images - 1).flatten(1))
