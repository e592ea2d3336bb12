import torch
from safetensors.torch import load_file
from torch import nn


class Detector(nn.Module):
    def __init__(self, num_classes: int = 2):
        super().__init__()
        convolution = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3)
        self.features = nn.Sequential(convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.classifier = nn.Linear(64, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x.float() / 255.0).flatten(1))


def load_model(weights_path: str, num_classes: int = 2) -> nn.Module:
    model = Detector(num_classes=num_classes)
    model.load_state_dict(load_file(weights_path))
    model.train(mode=False)
    return model
