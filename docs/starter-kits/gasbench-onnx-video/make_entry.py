"""Writes entry/video_detector.onnx from a torch module: python make_entry.py."""

from pathlib import Path

import torch
from torch import Tensor, nn

SIDE = 224
TARGET = Path(__file__).parent / "entry" / "video_detector.onnx"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Detector(nn.Module):
    """Map RGB bytes, shape (N, T, 3, 224, 224), to the logits (N, 3) of real, synthetic, semisynthetic."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 1, 3, 1, 1))
        self.features = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.classify = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        """Judge each frame, then take the mean over the frames."""
        normalised = (images.float() / 255 - self.mean) / self.std
        frames = self.classify(self.features(normalised.flatten(0, 1)).flatten(1))
        return frames.unflatten(0, images.shape[:2]).mean(dim=1)


def main() -> None:
    """Export an untrained detector: fixed height and width, dynamic batch and frames."""
    torch.manual_seed(0)
    example = torch.randint(0, 256, (2, 4, 3, SIDE, SIDE), dtype=torch.uint8)
    torch.onnx.export(
        Detector().eval(),
        (example,),
        TARGET,
        input_names=["input"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch"), 1: torch.export.Dim("frames")},),
        opset_version=18,
        external_data=False,
    )


if __name__ == "__main__":
    main()
