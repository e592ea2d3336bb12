import torch
from torch import nn

TABLE = torch.randn(3072 * 4, 40, generator=torch.Generator().manual_seed(1))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(40, 4)

    def forward(self, x):
        places = (x.flatten(1) * 3).long() + 4 * torch.arange(3072)
        return self.last(TABLE[places].sum(1).relu())
