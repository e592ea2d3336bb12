import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(40, 4)

    def forward(self, x):
        weights = torch.sin(torch.arange(3072.0 * 40) * 1.7).reshape(3072, 40)
        return self.last((x.flatten(1) @ weights).relu())
