import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(120, 4)
        self.book = nn.Parameter(torch.randn(1024, 12))
        self.register_buffer("index", torch.randint(0, 1024, (30_720,), dtype=torch.int16))

    def forward(self, x):
        weights = self.book[self.index.long()].reshape(3072, 120)
        return self.last((x.flatten(1) @ weights).relu())
