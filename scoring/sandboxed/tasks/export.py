"""Exports a torch entry to ONNX: fixed sides, a dynamic batch if it can be, a comparison on the samples."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from scoring.contracts import Outcome, Request, Task
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.failures import entry_failures, one_line
from scoring.sandboxed.graphs import OPSET, OneOutput, why_not, without_notes, write_module, write_script
from scoring.sandboxed.inputs import Pixels, pad
from scoring.sandboxed.loaders import load_entry, onnx_graph
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.outputs import count_not_finite
from scoring.sandboxed.refusal import Refusal
from scoring.sandboxed.settle import seed_all

# Two engines round differently; beyond this they compute something else.
TOLERANCE: Final = 1e-2
# A batch of one would be written down as a constant.
EXAMPLES: Final = 2

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class _Written:
    content: bytes
    difference: float


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Append the ONNX model to the outputs; return the reply."""
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = load_entry(package, request)
    if not isinstance(entry, TorchEntry):
        raise _failed("packages of this format do not contain a torch module")
    expected = _rows(entry, request, pixels)
    written = _written(entry, request, pixels, expected)
    channel.append_bytes(written.content)
    return {
        "outcome": Outcome.OK,
        "opset": OPSET,
        "samples": len(pixels),
        "largest_difference": written.difference,
        "largest_output": _largest(expected),
    }


def _written(entry: TorchEntry, request: Request, pixels: Pixels, expected: Rows) -> _Written:
    """Write the graph for any batch; for the one batch that the entry's format gives it, if need be."""
    try:
        return _write_and_compare(entry, request, pixels, expected, batch=None)
    except Refusal:
        if entry.fixed_batch is None:
            raise
        return _write_and_compare(entry, request, pixels, expected, batch=entry.fixed_batch)


def _write_and_compare(
    entry: TorchEntry, request: Request, pixels: Pixels, expected: Rows, *, batch: int | None
) -> _Written:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        _write(entry, pixels, path, batch=batch)
        found = _rows_of_graph(path, request, pixels, batch=batch)
        content = without_notes(onnx.load(path))
    largest = _largest(expected)
    difference = _largest(expected - found)
    if not difference <= TOLERANCE * max(largest, 1.0):
        raise _failed(
            f"the graph's outputs differ from the model's by up to {difference:.3g} (largest {largest:.3g})"
        )
    return _Written(content, difference)


def _largest(values: Rows) -> float:
    return float(np.abs(values).max(initial=0.0))


def _write(entry: TorchEntry, pixels: Pixels, path: Path, *, batch: int | None) -> None:
    example = pixels[:EXAMPLES] if batch is None else pad(pixels[:batch], batch)
    module, dynamic = entry.module, batch is None
    try:
        if isinstance(module, torch.jit.ScriptModule):
            write_script(module, entry.tensor(example), path, dynamic=dynamic, finish=entry.output_of)
        else:
            write_module(OneOutput(module, entry.output_of), entry.tensor(example), path, dynamic=dynamic)
    # The exporter runs the entry's code, which raises what it likes.
    except Exception as exc:
        raise _failed(why_not(exc)) from exc


def _rows(entry: TorchEntry, request: Request, pixels: Pixels) -> Rows:
    seed_all(request.seed)
    with entry_failures(Outcome.CRASHED, Task.EXPORT):
        rows = entry.predict(pixels)
    not_finite = count_not_finite(rows)
    if not_finite:
        raise Refusal(Outcome.NOT_FINITE, found=not_finite, total=rows.size)
    return rows


def _rows_of_graph(path: Path, request: Request, pixels: Pixels, *, batch: int | None) -> Rows:
    """Run the graph on each sample alone and on the batch; refuse it where the two differ."""
    try:
        graph = onnx_graph.load(path.parent, replace(request, main=path.name))
        if graph.fixed_batch != batch:
            raise _failed(
                f"the graph only takes batches of {graph.fixed_batch}; forward() loops over the batch or "
                "computes with its size as a number"
            )
        whole = graph.predict(pixels)
        single = np.concatenate([graph.predict(pixels[at : at + 1]) for at in range(len(pixels))])
    except Refusal:
        raise
    except Exception as exc:
        raise _failed(f"ONNX Runtime cannot run the graph: {one_line(exc)}") from exc
    if not np.allclose(whole, single, rtol=TOLERANCE, atol=TOLERANCE):
        raise _failed("the graph returns other outputs for a batch than for its samples one by one")
    return whole


def _failed(why: str) -> Refusal:
    return Refusal(Outcome.EXPORT_FAILED, why=why)
