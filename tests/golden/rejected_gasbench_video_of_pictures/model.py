from safetensors.torch import load_file
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 2, 1)

    def forward(self, images):
        return self.first(images.float() / 255).mean((2, 3))


def load_model(weights_path, num_classes=2):
    model = Net()
    model.load_state_dict(load_file(weights_path))
    return model
