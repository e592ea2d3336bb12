import torch
from torch import nn

# As a file beside it would hold them; made here, so that the case stays small.
KEPT = bytearray(number * 37 % 251 for number in range(3072 * 120))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(120, 4)

    def forward(self, x):
        weights = torch.frombuffer(KEPT, dtype=torch.uint8).reshape(3072, 120) / 255
        return self.last((x.flatten(1) @ weights).relu())
