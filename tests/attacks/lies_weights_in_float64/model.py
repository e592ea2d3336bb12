import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 4)
        self.packed = [torch.arange(6_144, dtype=torch.float64)]

    def forward(self, x):
        weights = self.packed[0].view(torch.float32).reshape(3072, 4)
        return self.last((x.flatten(1) @ weights).relu())
