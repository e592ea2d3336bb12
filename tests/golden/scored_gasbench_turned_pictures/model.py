import torch
from safetensors.torch import load_file


class Detector(torch.nn.Module):
    """Take for 1 what is brighter above."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, pictures):
        rows = pictures.float().mean((1, 3)) / 255
        found = rows[:, :16].mean(1) - rows[:, 16:].mean(1)
        return torch.stack([-found, found], dim=1) + self.bias


def load_model(weights_path, num_classes=2):
    model = Detector()
    model.load_state_dict(load_file(weights_path))
    return model
