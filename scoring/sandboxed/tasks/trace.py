"""Traces a torch entry into TorchScript that takes what a BYOM package is fed, and compares the two.

A trace freezes whatever Python decided, so the entry was captured before: then nothing in it depends on
values. What is traced is its own module all the same: operators that are called by name, as a graph
calls them, would freeze the batch.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from scoring.contracts import Dtype, Outcome, Request, Task
from scoring.sandboxed import differences
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import attempt, entry_failures
from scoring.sandboxed.inputs import Pixels, groups
from scoring.sandboxed.loaders import load_entry
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.refusal import export_failed

TORCHSCRIPT_ALREADY: Final = (
    "it already is TorchScript; write config.yaml, mochi.json and the manifest for it"
)
# The source's line numbers, which hold paths of the entrant's, and the picture it was traced with.
NOTES: Final = (".debug_pkl", "/traced_inputs.pkl")
TRACED_INPUTS: Final = "/traced_inputs/"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)

Feed = Callable[[Pixels], torch.Tensor]


class _FromShares(nn.Module):
    """Makes bytes again of what a BYOM package is fed, floats from 0 to 1."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the model's output; x / 255 * 255 is rounded to the x that it was."""
        output: torch.Tensor = self.model((images * 255).round().to(torch.uint8))
        return output


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append the TorchScript file to the outputs; return the reply."""
    entry = _load(request, package)
    with entry_failures(Outcome.CRASHED, request.task):
        expected = np.concatenate([entry.raw(sample) for sample in groups(pixels, 1)])
    feed = _feed(entry, request)
    # Read back from its file, so that what was compared is what is written.
    content = _plain_file(_trace(_module(entry, request), feed(pixels[:1])))
    script = torch.jit.load(io.BytesIO(content))
    found = _run(script, feed, pixels, size=1)
    difference, scale = differences.largest_between(expected, found), differences.largest(expected)
    if not differences.is_rounding(difference, scale):
        raise export_failed(
            f"its outputs differ from the model's by up to {difference:.3g} (largest {scale:.3g})"
        )
    together = attempt(lambda: _run(script, feed, pixels, size=len(pixels)), request.task)
    takes_any = together is not None and differences.is_rounding(
        differences.largest_between(expected, together), scale
    )
    channel.append_bytes(content)
    return {
        "outcome": Outcome.OK,
        "output_shape": [1, *found.shape[1:]],
        "batch": None if takes_any else 1,
        "samples": len(pixels),
        "largest_difference": difference,
        "largest_output": scale,
    }


def _load(request: Request, package: Path) -> TorchEntry:
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = cast(TorchEntry, load_entry(package, request))
    if isinstance(entry.module, torch.jit.ScriptModule):
        raise export_failed(TORCHSCRIPT_ALREADY)
    return entry


def _module(entry: TorchEntry, request: Request) -> nn.Module:
    module = entry.one_output()
    return (_FromShares(module) if request.input.dtype is Dtype.UINT8 else module).eval()


def _feed(entry: TorchEntry, request: Request) -> Feed:
    """Return what makes of pictures the tensor that a BYOM package's model is given."""
    if request.input.dtype is not Dtype.UINT8:
        return entry.tensor
    shares = replace(request, input=replace(request.input, dtype=Dtype.FLOAT32, low=0.0, high=1.0))
    return TorchEntry(lambda: entry.module, shares).tensor


def _trace(module: nn.Module, example: torch.Tensor) -> torch.jit.ScriptModule:
    # The fast path is one operator that neither the counters nor ONNX know.
    torch.backends.mha.set_fastpath_enabled(False)
    with entry_failures(Outcome.EXPORT_FAILED, Task.TRACE), torch.no_grad():
        traced: torch.jit.ScriptModule = torch.jit.trace(module, (example,), check_trace=False)
    return traced


def _plain_file(script: torch.jit.ScriptModule) -> bytes:
    """Return the saved script without notes, the same bytes for the same model."""
    saved, plain = io.BytesIO(), io.BytesIO()
    torch.jit.save(script, saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as target:
        for item in source.infolist():
            if not item.filename.endswith(NOTES) and TRACED_INPUTS not in item.filename:
                target.writestr(zipfile.ZipInfo(item.filename, EPOCH), source.read(item))
    return plain.getvalue()


def _run(script: torch.jit.ScriptModule, feed: Feed, pictures: Pixels, *, size: int) -> NDArray[Any]:
    with torch.no_grad():
        return np.concatenate([script(feed(group)).numpy() for group in groups(pictures, size)])
