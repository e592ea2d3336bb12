import torch
from torch import nn


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        y = x
        for step in range(20):
            y = torch.sin(y * (1 + step)) + y.cos()
        return self.last(y.mean((2, 3)))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.compile(Inner(), mode="max-autotune", dynamic=True)

    def forward(self, x):
        return self.inner(x)
