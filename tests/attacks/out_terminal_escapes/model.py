import torch
from torch import nn

print("\x1b[2J\x1b]0;owned\x07\x1b[8mhidden\x1b[0m \x9b31m \x00 all clear")


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.mean((2, 3)))
