import json
from pathlib import Path

from safetensors.torch import load_file
from torch import nn


class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.last = nn.Linear(3, num_classes)

    def forward(self, images):
        return [self.last(images.float().mean((2, 3)) / 255)[:, None]]


def load_model(weights_path, num_classes=2):
    index = Path(weights_path)
    state = {}
    for shard in set(json.loads(index.read_text())["weight_map"].values()):
        state.update(load_file(index.parent / shard))
    model = Net(num_classes)
    model.load_state_dict(state)
    return model
