import torch
from safetensors.torch import load_file


class Detector(torch.nn.Module):
    """Take red for 1."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, clips):
        colours = clips.float().mean((1, 3, 4)) / 255
        found = colours[:, 0] - colours[:, 2]
        return torch.stack([-found, found], dim=1) + self.bias


def load_model(weights_path, num_classes=2):
    model = Detector()
    model.load_state_dict(load_file(weights_path))
    return model
