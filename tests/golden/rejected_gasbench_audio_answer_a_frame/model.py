import torch
from safetensors.torch import load_file


class Frames(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, sounds):
        level = sounds.reshape(len(sounds), 60, 1600).abs().mean(2)
        return level.unsqueeze(2) + self.bias


def load_model(weights_path, num_classes=2):
    model = Frames()
    model.load_state_dict(load_file(weights_path))
    return model
