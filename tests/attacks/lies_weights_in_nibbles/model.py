import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 4)
        self.register_buffer("packed", (torch.arange(6_144) * 37 % 251).to(torch.uint8))

    def forward(self, x):
        weights = torch.stack([self.packed & 15, self.packed >> 4], 1).reshape(3072, 4) / 15.0
        return self.last((x.flatten(1) @ weights).relu())
