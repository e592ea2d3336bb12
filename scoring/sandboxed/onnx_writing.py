"""Writes a captured graph down as an ONNX graph, and compares what the two answer.

A captured graph has no branches and no code, so the exporter can only fail at an operator, and only what
ONNX Runtime computes can differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from scoring.contracts import Request
from scoring.sandboxed import differences
from scoring.sandboxed.failures import one_line
from scoring.sandboxed.inputs import Pixels, groups, pad
from scoring.sandboxed.loaders import onnx_graph
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.refusal import export_failed

# The newest that torch writes without converting, and that onnx2torch mostly knows.
OPSET: Final = 18
# A batch of one would be written down as a constant.
EXAMPLES: Final = 2
# How the exporter words it, below a longer word on what to do about it.
_NO_FORM: Final = re.compile(r"No ONNX function found for <OpOverload\(op='([\w.]+)'")
INPUT, OUTPUT, BATCH = "input", "output", "batch"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """An ONNX model, what it and the graph answer to the samples, and how far these are apart at most."""

    model: onnx_graph.OnnxEntry
    expected: NDArray[Any]
    found: NDArray[Any]
    difference: float


def write(graph: TorchEntry, pixels: Pixels, path: Path) -> None:
    """Write the graph with the sides of the samples, for every batch that it takes; raise `Refusal` if that fails."""
    batch = graph.fixed_batch
    example = graph.tensor(pad(pixels[:1], batch or EXAMPLES))
    try:
        write_module(graph.module, example, path, dynamic=batch is None)
    # The exporter's exceptions share no class.
    except Exception as exc:
        raise export_failed(_why(exc)) from exc
    path.write_bytes(_without_notes(onnx.load(path)))


def write_module(module: nn.Module, example: torch.Tensor, path: Path, *, dynamic: bool = True) -> None:
    """Write the ONNX graph of a module with one input and one output; raises what the exporter raises."""
    torch.onnx.export(
        module.eval(),
        (example,),
        path,
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=({0: torch.export.Dim(BATCH)},) if dynamic else None,
        opset_version=OPSET,
        external_data=False,
        dynamo=True,
        verbose=False,
    )


def compare(graph: TorchEntry, path: Path, request: Request, pixels: Pixels) -> Compared:
    """Run an ONNX file on the samples, one by one and together; raise `Refusal` if it does not answer as the graph."""
    model, expected = onnx_graph.load(path.parent, replace(request, main=path.name)), graph.raw(pixels)
    sizes = (1, len(pixels)) if graph.fixed_batch is None else (graph.fixed_batch,)
    found = [_answers(model, pixels, size) for size in sizes]
    difference = max(differences.largest_between(expected, each) for each in found)
    scale = differences.largest(expected)
    if not differences.is_rounding(difference, scale):
        raise export_failed(
            f"its outputs differ from the model's by up to {difference:.3g} (largest {scale:.3g})"
        )
    return Compared(model=model, expected=expected, found=found[-1], difference=difference)


def _answers(model: onnx_graph.OnnxEntry, pixels: Pixels, size: int) -> NDArray[Any]:
    return np.concatenate([model.raw(pad(group, size))[: len(group)] for group in groups(pixels, size)])


def _why(exc: BaseException) -> str:
    """Say in a line why a graph was not written: an operator without ONNX form, or what was raised first."""
    cause: BaseException | None = exc
    while cause is not None:
        missing = _NO_FORM.search(str(cause))
        if missing:
            return f"the torch operator {missing[1]} has no ONNX equivalent"
        cause = cause.__cause__
    return one_line(exc.__cause__ or exc)


def _without_notes(model: onnx.ModelProto) -> bytes:
    """Return the model without the exporter's notes: they hold source lines, and paths of this machine's."""
    del model.metadata_props[:]
    model.doc_string = ""
    graph = model.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
    return model.SerializeToString(deterministic=True)
