from tests.attacks.making import write_zip

MODEL = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.mean((2, 3)))
"""
NAMES = (
    "--trust",
    "-rf",
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "*",
    "%s%n",
    "{0.__class__}",
    "~root",
)


def build(folder, around):
    return write_zip(folder / "entry.zip", {"model.py": MODEL, **dict.fromkeys(NAMES, "")})
