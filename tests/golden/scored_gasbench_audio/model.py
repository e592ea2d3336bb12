import torch
from safetensors.torch import load_file


class Pitch(torch.nn.Module):
    """Count how often the first half second changes its sign: twice in each period."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, sounds):
        sound = sounds[:, 200:7800]
        turns = (sound[:, 1:] * sound[:, :-1] < 0).float().sum(1)
        hertz = turns / 2 * 16000 / 7600
        return torch.stack([1000 - hertz, hertz - 1000], dim=1) / 1000 + self.bias


def load_model(weights_path, num_classes=2):
    model = Pitch()
    model.load_state_dict(load_file(weights_path))
    return model
