import torch
from safetensors.torch import load_file


class Frames(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, clips):
        level = clips.float().mean((2, 3, 4)) / 255
        return level.flatten().unsqueeze(1) + self.bias


def load_model(weights_path, num_classes=2):
    model = Frames()
    model.load_state_dict(load_file(weights_path))
    return model
