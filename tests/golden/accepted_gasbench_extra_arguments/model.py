from safetensors.torch import load_file
from torch import nn


class Net(nn.Module):
    def __init__(self, num_classes, hidden, scale):
        super().__init__()
        self.scale = scale
        self.first = nn.Linear(3, hidden)
        self.last = nn.Linear(hidden, num_classes)

    def forward(self, images):
        return self.last(self.first(images.float().mean((2, 3)) * self.scale))


def load_model(weights_path, num_classes=2, *, hidden, **rest):
    model = Net(num_classes, hidden, **rest)
    model.load_state_dict(load_file(weights_path))
    return (model,)[0]
