import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Parameter(torch.zeros(1000, 100))

    def forward(self, x):
        rows = x.flatten(1)[:, :50_000].unsqueeze(2).expand(-1, -1, 1000)
        return (rows @ self.last).mean(1)
