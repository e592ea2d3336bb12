import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(10, 4)
        self.register_buffer("packed", torch.arange(3_840, dtype=torch.int64) * 0x0102030405060708)

    def forward(self, x):
        weights = ((self.packed.unsqueeze(1) >> (8 * torch.arange(8))) & 255).reshape(3072, 10) / 255.0
        return self.last((x.flatten(1) @ weights).relu())
