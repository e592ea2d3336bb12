import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(40, 4)
        self.packed = [torch.arange(61_440, dtype=torch.float64)]

    def forward(self, x):
        weights = self.packed[0].view(torch.float32).reshape(3072, 40)
        return self.last((x.flatten(1) @ weights).relu())
