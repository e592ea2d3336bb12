"""For which batch an entry is captured that states one: any, if that changes none of its answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from scoring.contracts import LENGTH_BYTES, Format, InputContract, OutputContract, OutputKind, Request, Task
from scoring.sandboxed.channel import Channel
from scoring.sandboxed.graph.document import read
from scoring.sandboxed.loaders import byom
from scoring.sandboxed.measures.captured import capture_entry

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 3, 4, 4), dtype=np.uint8)
REQUEST = Request(
    task=Task.MEASURE,
    format=Format.BYOM,
    main="model.pt",
    input=InputContract(shape=(3, 4, 4)),
    output=OutputContract(kind=OutputKind.LOGITS, width=3),
    samples=len(PIXELS),
    batch_size=2,
    threads=1,
    seed=0,
    options={"batch": 1},
    capture_s=120.0,
)


class Means(nn.Module):
    """Answer each picture with the means of its colours."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


class InCompany(nn.Module):
    """Add the mean of the batch: a picture alone is its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + x.mean(0, keepdim=True)).mean((2, 3))


@pytest.mark.parametrize(("model", "batch"), [(Means(), None), (InCompany(), 1)])
def test_a_stated_batch_is_kept_where_others_would_mix_samples(
    model: nn.Module, batch: int | None, tmp_path: Path
) -> None:
    torch.jit.trace(model.eval(), torch.rand(1, 3, 4, 4)).save(tmp_path / "model.pt")
    (tmp_path / "outputs").touch()
    shown = np.zeros((1, *PIXELS.shape[1:]), np.uint8)
    shown[0, 0, 0, 0] = len(PIXELS)

    why_not = capture_entry(
        byom.load(tmp_path, REQUEST), REQUEST, np.concatenate([PIXELS, shown]), Channel(tmp_path / "outputs")
    )

    written = (tmp_path / "outputs").read_bytes()
    length = int.from_bytes(written[:LENGTH_BYTES], "little")
    (tmp_path / "graph").write_bytes(written[LENGTH_BYTES : LENGTH_BYTES + length])
    assert why_not == ""
    assert read(tmp_path / "graph").batch == batch
