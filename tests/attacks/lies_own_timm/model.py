import timm
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.rounds = getattr(timm, "ROUNDS", 0)
        self.square = nn.Parameter(torch.eye(32))
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        for _ in range(self.rounds):
            x = x @ self.square
        return self.last(x.mean((2, 3)))
