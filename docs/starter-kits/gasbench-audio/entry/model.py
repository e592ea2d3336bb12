"""The smallest audio detector that a gasbench track takes: replace its layers by yours."""

import torch
from safetensors.torch import load_file
from torch import nn


class Detector(nn.Module):
    """One convolution on the waveform, averaged over time."""

    def __init__(self, num_classes: int = 2) -> None:
        super().__init__()
        self.features = nn.Conv1d(1, 8, kernel_size=400, stride=160)
        self.classifier = nn.Linear(8, num_classes)

    def forward(self, sounds: torch.Tensor) -> torch.Tensor:
        """Return logits (N, num_classes) of sounds (N, 96000), float32 from -1 to 1."""
        features = torch.relu(self.features(sounds.unsqueeze(1)))
        return self.classifier(features.mean(dim=2))


def load_model(weights_path: str, num_classes: int = 2) -> nn.Module:
    """Build the model and load its weights; called once."""
    model = Detector(num_classes=num_classes)
    model.load_state_dict(load_file(weights_path))
    return model.eval()
