"""Torch modules exported to ONNX: the static count is what the dispatcher counts of the module itself.

Two counters that share no formula: one reads the graph and runs nothing, the other runs the module.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

from scoring.budget.onnx.counter import count_model
from scoring.sandboxed.counters import dispatch
from scoring.sandboxed.onnx_writing import write_module

# Exporters warn of their own code.
pytestmark = pytest.mark.filterwarnings("ignore")
SHAPE = (3, 16, 16)


class Convolutions(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.Hardswish(),
            nn.Conv2d(8, 8, 3, groups=8),
            nn.ConvTranspose2d(8, 4, 3, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 10),
        )


class Tokens(nn.Module):
    """Positions are looked up, patches attend to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, stride=4)
        self.table = nn.Parameter(torch.zeros(31, 2))
        self.register_buffer("places", torch.arange(16)[:, None] - torch.arange(16)[None] + 15)
        self.qkv = nn.Linear(16, 48)
        self.head = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        parts = self.qkv(tokens).unflatten(-1, (3, 2, 8)).permute(2, 0, 3, 1, 4)
        bias = self.table[self.places].permute(2, 0, 1)[None]
        weights = (parts[0] @ parts[1].transpose(-2, -1) + bias).softmax(-1)
        return self.head((weights @ parts[2]).transpose(1, 2).flatten(2).mean(1))


class Recurrence(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.cells = kind(48, 12, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(24, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cells(x.transpose(1, 2).flatten(2))[0].mean(1))


class Products(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.rand(16, 12)), nn.Parameter(torch.rand(12, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bchw,wk,kp->bchp", x, self.first, self.second).mean((1, 2))


class WindowedMasks(nn.Module):
    """Windows are rolled, cut out and masked, as in a Swin transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.qk = nn.Linear(3, 12)
        self.register_buffer("mask", torch.zeros(16, 16, 16))
        self.head = nn.Linear(3, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rolled = torch.roll(x.permute(0, 2, 3, 1), (-2, -2), (1, 2))
        windows = rolled.unflatten(1, (4, 4)).unflatten(3, (4, 4)).permute(0, 1, 3, 2, 4, 5).flatten(3, 4)
        windows = windows.flatten(1, 2)
        query, key = self.qk(windows).chunk(2, -1)
        weights = (query @ key.transpose(-2, -1) + self.mask).softmax(-1)
        return self.head((weights @ windows).mean((1, 2)))


MODULES = {
    "convolutions": Convolutions,
    "tokens": Tokens,
    "lstm": lambda: Recurrence(nn.LSTM),
    "gru": lambda: Recurrence(nn.GRU),
    "rnn": lambda: Recurrence(nn.RNN),
    "products": Products,
    "windowed masks": WindowedMasks,
}


def check(module: nn.Module, path: Path) -> None:
    x = torch.rand(1, *SHAPE)
    by_running = dispatch.count(lambda: module(x)).products

    counts = count_model(onnx.load(path), SHAPE, (32, 1))

    assert counts.macs == by_running
    assert counts.uncounted_ops == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["convolutions", "tokens", "lstm", "products", "windowed masks"])
def test_a_graph_of_the_newer_exporter_counts_as_its_module(name: str, tmp_path: Path) -> None:
    module = MODULES[name]().eval()
    write_module(module, torch.rand(2, *SHAPE), tmp_path / "m.onnx")

    check(module, tmp_path / "m.onnx")


@pytest.mark.parametrize("name", MODULES)
def test_a_graph_of_the_older_exporter_counts_as_its_module(name: str, tmp_path: Path) -> None:
    module = MODULES[name]().eval()
    torch.onnx.export(
        module,
        (torch.rand(2, *SHAPE),),
        tmp_path / "m.onnx",
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )

    check(module, tmp_path / "m.onnx")


@pytest.mark.parametrize("name", ["windowed masks", "products"])
def test_a_graph_holds_the_parameters_of_its_module(name: str, tmp_path: Path) -> None:
    """Those of modules without batch norms, which exporters fold into the convolutions before them."""
    module = MODULES[name]().eval()
    write_module(module, torch.rand(2, *SHAPE), tmp_path / "m.onnx")
    held = [*module.parameters(), *(each for each in module.buffers() if each.is_floating_point())]

    found = count_model(onnx.load(tmp_path / "m.onnx"), SHAPE, (32, 1)).parameters

    # Exporters add scalars: the scale of an attention, the divisor of a mean.
    assert 0 <= found - sum(each.numel() for each in held) < 10
