import torch
from safetensors.torch import load_file
from torch import nn


class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.last = nn.Linear(3, num_classes)

    def forward(self, images):
        assert images.dtype == torch.uint8
        return self.last((images.float() - 0.5).mean((2, 3)))


def load_model(weights_path: str, num_classes: int = 2) -> nn.Module:
    model = Net(num_classes)
    model.load_state_dict(load_file(weights_path))
    return model
