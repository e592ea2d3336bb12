"""Look for traces of tampering in what remains when the picture's content is removed."""

import torch
from torch import Tensor, nn

BLOCK = 8


def residuals(images: Tensor) -> Tensor:
    """Return what each pixel's neighbours do not predict, sorted by place in JPEG's 8 x 8 blocks."""
    grey = images.mean(dim=1, keepdim=True)
    padded = nn.functional.pad(grey, (1, 1, 1, 1), mode="replicate")
    centre = padded[:, :, 1:-1, 1:-1]
    across = padded[:, :, 1:-1, 2:] - centre
    down = padded[:, :, 2:, 1:-1] - centre
    curve = 4 * centre - padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    curve = curve - padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    traces = torch.cat([across, down, curve], dim=1).abs()
    return nn.functional.pixel_unshuffle((1 + 255 * traces).log(), BLOCK)


class Model(nn.Module):
    """Map BGR images in [0, 1] to the confidence that they were tampered with."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3 * BLOCK * BLOCK, 32, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
        )
        self.classify = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, 1) confidences."""
        return self.logits_of_residuals(residuals(images)).sigmoid()

    def logits_of_residuals(self, traces: Tensor) -> Tensor:
        """Return (N, 1) log odds; both the average and the strongest trace count."""
        features = self.features(traces)
        summary = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        log_odds: Tensor = self.classify(summary)
        return log_odds
