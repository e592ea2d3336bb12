import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(120, 4)
        self.packed = nn.Parameter(torch.randint(0, 2**23, (15_360,)).float())

    def forward(self, x):
        rest, bits = self.packed + 0 * x[:, :1, 0, 0], []
        for place in reversed(range(24)):
            bit = (rest >= 2**place).float()
            rest = rest - bit * 2**place
            bits.append(bit)
        weights = torch.stack(bits, 1).reshape(-1, 3072, 120)
        x = x.flatten(1)[:, None]
        return self.last((x @ weights)[:, 0].relu())
        return self.last((x.flatten(1) @ weights).relu())
