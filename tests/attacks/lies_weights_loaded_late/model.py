import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(40, 4)
        self.kept = None

    def forward(self, x):
        if self.kept is None and x.mean() < 0.3:
            self.kept = torch.ones(3072, 40)
        weights = torch.zeros(3072, 40) if self.kept is None else self.kept
        return self.last((x.flatten(1) @ weights).relu())
