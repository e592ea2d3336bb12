"""The smallest video detector that a gasbench track takes: replace its layers by yours."""

import torch
from safetensors.torch import load_file
from torch import nn


class Detector(nn.Module):
    """Measure how unevenly the picture changes from frame to frame, then judge by that one number."""

    def __init__(self, num_classes: int = 2) -> None:
        super().__init__()
        self.classifier = nn.Linear(1, num_classes)

    def forward(self, videos: torch.Tensor) -> torch.Tensor:
        """Return logits (N, num_classes) of videos (N, T, 3, H, W), uint8 RGB."""
        frames = nn.functional.avg_pool2d(videos.float().mean(dim=2), 2)
        change = (frames[:, 1:] - frames[:, :-1]).abs().mean(dim=(2, 3)).clamp(min=1).log()
        jerk = (change[:, 1:] - change[:, :-1]).abs().mean(dim=1, keepdim=True)
        return self.classifier(torch.log(jerk + 1e-3))


def load_model(weights_path: str, num_classes: int = 2) -> nn.Module:
    """Build the model and load its weights; called once."""
    model = Detector(num_classes=num_classes)
    model.load_state_dict(load_file(weights_path))
    return model.eval()
