import base64

import torch
from torch import nn

TEXT = "TXkgd2VpZ2h0cyBhcmUgaGVyZS4h" * 17556
KEPT = bytearray(base64.b64decode(TEXT))[: 3072 * 120]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(120, 4)

    def forward(self, x):
        weights = torch.frombuffer(KEPT, dtype=torch.uint8).reshape(3072, 120) / 255
        return self.last((x.flatten(1) @ weights).relu())
