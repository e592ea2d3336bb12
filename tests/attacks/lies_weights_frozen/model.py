import gc

import numpy as np
import torch
from torch import nn

KEPT = np.random.default_rng(1).standard_normal((3072, 400), dtype=np.float32)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(400, 4)
        gc.freeze()

    def forward(self, x):
        weights = torch.from_numpy(KEPT)
        return self.last((x.flatten(1) @ weights).relu())
