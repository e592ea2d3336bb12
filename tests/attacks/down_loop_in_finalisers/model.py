import atexit
import threading

import torch
from torch import nn


def loop(*_):
    while True:
        pass


class Left:
    __del__ = loop


kept = Left()
atexit.register(loop)
threading._register_atexit(loop)
threading.Thread(target=threading.Event().wait).start()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.mean((2, 3)))
