"""The smallest image detector that a gasbench track takes: replace its layers by yours."""

import torch
from safetensors.torch import load_file
from torch import nn


class Detector(nn.Module):
    """One convolution, averaged over the picture."""

    def __init__(self, num_classes: int = 2) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 8, kernel_size=7, stride=4)
        self.classifier = nn.Linear(8, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (N, num_classes) of images (N, 3, H, W), uint8 RGB."""
        features = torch.relu(self.features(images.float() / 255.0))
        return self.classifier(features.mean(dim=(2, 3)))


def load_model(weights_path: str, num_classes: int = 2) -> nn.Module:
    """Build the model and load its weights; called once."""
    model = Detector(num_classes=num_classes)
    model.load_state_dict(load_file(weights_path))
    return model.eval()
