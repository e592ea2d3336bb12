import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(120, 4)
        self.register_buffer("packed", torch.arange(46_080, dtype=torch.int64) * 0x0102030405060708)

    def forward(self, x):
        weights = ((self.packed.unsqueeze(1) >> (8 * torch.arange(8))) & 255).reshape(3072, 120) / 255.0
        return self.last((x.flatten(1) @ weights).relu())
