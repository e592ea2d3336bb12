import torch
from torch import nn

KEPT = torch.randn(3072, 40, generator=torch.Generator().manual_seed(1))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(40, 4)

    def forward(self, x):
        weights = KEPT
        return self.last((x.flatten(1) @ weights).relu())
