import sys

import scoring
import torch
from torch import nn

print("scoring of", getattr(scoring, "WHOSE", "Podium"))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3072, 40)
        self.last = nn.Linear(40, 4)

    def forward(self, x):
        return self.last(self.first(x.flatten(1)).relu())
