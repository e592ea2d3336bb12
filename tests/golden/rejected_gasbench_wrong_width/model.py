from safetensors.torch import load_file
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 3)

    def forward(self, images):
        return self.last(images.float().mean((2, 3)) / 255)


def load_model(weights_path: str, num_classes: int = 2) -> nn.Module:
    model = Net()
    model.load_state_dict(load_file(weights_path))
    return model
