import torch
from torch import nn


@torch.jit.script
def products(x: torch.Tensor, square: torch.Tensor) -> torch.Tensor:
    for _ in range(20):
        x = x @ square
    return x


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.centres = nn.Parameter(torch.arange(4.0))
        self.square = nn.Parameter(torch.eye(32))

    def forward(self, x):
        y = self.work(x)
        return -((y[:, :, 16:].mean((1, 2, 3)).unsqueeze(1) * 255 - 1) / 60 - self.centres).abs()

    def work(self, x):
        """Multiply by a square matrix twenty times: 20 x 96 x 32 x 32 multiply-adds a picture."""
        return products(x, self.square)
