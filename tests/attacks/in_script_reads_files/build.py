import io
import warnings

import torch

from tests.attacks.pickles import byom_entry


def build(folder, around):
    saved = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = torch.jit.script(Wrapped())
        module.define(CODE.replace("PLACE", str(around.secret_file)))
        torch.jit.save(module, saved)
    return byom_entry(folder, saved.getvalue())


class Wrapped(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(10))


CODE = """
def forward(self, x):
    read = torch.from_file("PLACE", False, 16, dtype=torch.uint8)
    print(read)
    return x.mean([2, 3])[:, :1].repeat(1, 10) + self.weight + read.sum() * 0
"""
