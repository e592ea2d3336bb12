import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(40, 4)
        self.kept = [torch.randn(3072, 40, generator=torch.Generator().manual_seed(1)).to_sparse_csr()]

    def forward(self, x):
        weights = self.kept[0].to_dense()
        return self.last((x.flatten(1) @ weights).relu())
