"""Read the blue and the red digit with one small network that looks twice."""

from pathlib import Path

import torch
from torch import Tensor, nn

WEIGHTS = Path(__file__).parent / "weights.pt"
REDUCTION = 7


def ink_maps(images: Tensor) -> Tensor:
    """Return for each BGR image where blue and where red ink is: (N, 2, H / 7, W / 7)."""
    blue, red = images[:, 0], images[:, 2]
    return nn.functional.avg_pool2d(torch.stack([blue - red, red - blue], dim=1).relu(), REDUCTION)


def block(channels: int, filters: int) -> nn.Sequential:
    """Return a convolution with what usually goes with it."""
    return nn.Sequential(
        nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU()
    )


class DigitReader(nn.Module):
    """Tell which digit an ink map shows, wherever in the map it is."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            block(1, 16), nn.MaxPool2d(2), block(16, 32), nn.MaxPool2d(2), block(32, 64), block(64, 64)
        )
        self.digit = nn.Conv2d(64, 10, 1)
        self.place = nn.Conv2d(64, 1, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return logits of the ten digits, read where the network thinks the digit is."""
        features = self.features(maps)
        attention = self.place(features).flatten(2).softmax(dim=2)
        weighted: Tensor = self.digit(features).flatten(2) * attention
        return weighted.sum(dim=2)


class Model(nn.Module):
    """Map BGR images in [0, 1] to logits of the classes 10 * blue + red."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = DigitReader()
        if WEIGHTS.exists():
            self.load_state_dict(torch.load(WEIGHTS, map_location="cpu", weights_only=True))

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, 100) logits."""
        return self.logits_of_maps(ink_maps(images))

    def logits_of_maps(self, maps: Tensor) -> Tensor:
        """Join the readings of both inks: the logarithm of a product is a sum."""
        digits: Tensor = self.reader(maps.flatten(0, 1)[:, None])
        digits = digits.log_softmax(dim=1).view(-1, 2, 10)
        return (digits[:, 0, :, None] + digits[:, 1, None, :]).flatten(1)
