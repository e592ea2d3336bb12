from pathlib import Path

import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(3, 100)
        Path(__file__).with_name("cache").mkdir()

    def forward(self, images):
        return self.last(images.mean((2, 3)))
