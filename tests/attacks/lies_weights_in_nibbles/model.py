import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(120, 4)
        self.register_buffer("packed", (torch.arange(184_320) * 37 % 251).to(torch.uint8))

    def forward(self, x):
        weights = torch.stack([self.packed & 15, self.packed >> 4], 1).reshape(3072, 120) / 15.0
        return self.last((x.flatten(1) @ weights).relu())
