import ctypes
import mmap
import os

import torch
from torch import nn

libc = ctypes.CDLL(None, use_errno=True)


def change_inputs():
    changed = 0
    for flags in (os.O_RDWR, os.O_WRONLY, os.O_RDWR | os.O_TRUNC, os.O_WRONLY | os.O_APPEND):
        try:
            os.write(os.open("/given/inputs.npy", flags), bytes(4096))
            changed += 1
        except OSError:
            pass
    try:
        file = os.open("/given/inputs.npy", os.O_RDONLY)
        mmap.mmap(file, 0, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_SHARED)[200:300] = bytes(100)
        changed += 1
    except (OSError, ValueError):
        pass
    with open("/proc/self/maps") as maps:
        for line in maps:
            if "inputs.npy" in line:
                begin, end = (int(word, 16) for word in line.split()[0].split("-"))
                changed += libc.mprotect(ctypes.c_void_p(begin), end - begin, 3) == 0
    try:
        os.chmod("/given/inputs.npy", 0o777)
        changed += 1
    except OSError:
        pass
    return changed


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        if change_inputs():
            raise SystemError("changed")
        return self.last(x.mean((2, 3)))
