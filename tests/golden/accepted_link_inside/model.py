from pathlib import Path

from safetensors.torch import load_file
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 1, bias=False)
        self.last.load_state_dict(load_file(Path(__file__).parent / "last.safetensors"))

    def forward(self, images):
        return self.last(images.mean((2, 3)))
