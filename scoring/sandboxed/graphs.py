"""Writes a torch module down as an ONNX graph, with a dynamic batch or with the one of the example.

Modules with code go by `torch.export`, which refuses a branch that depends on values. TorchScript has
no code that it could follow; the older exporter takes it over operator by operator, and writes the
branches and loops of a script as If and Loop. A trace holds none any more.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from torch import nn

from scoring.sandboxed.failures import one_line

# The newest that torch writes without converting, and that onnx2torch mostly knows.
OPSET: Final = 18
STDOUT: Final = 1
# How the exporter words it, below a longer word on what to do about it.
_NO_FORM: Final = re.compile(r"No ONNX function found for <OpOverload\(op='([\w.]+)'")
INPUT, OUTPUT, BATCH = "input", "output", "batch"


class OneOutput(nn.Module):
    """Has one named input and one output, whatever the entry's own forward() takes and answers."""

    def __init__(self, model: nn.Module, output_of: Callable[[Any], Any]) -> None:
        super().__init__()
        self.model = model
        self._output_of = output_of

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the output tensor."""
        output: torch.Tensor = self._output_of(self.model(images))
        return output


class _Out(nn.Module):
    """Takes the output out of the dict that a script answers with; is scripted itself."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the output tensor."""
        output: torch.Tensor = self.model(images)["out"]
        return output


def write_module(module: nn.Module, example: torch.Tensor, path: Path, *, dynamic: bool = True) -> None:
    """Write the graph of a module with one input and one output; raises what the exporter raises."""
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


def write_script(
    module: torch.jit.ScriptModule,
    example: torch.Tensor,
    path: Path,
    *,
    dynamic: bool,
    finish: Callable[[Any], Any] = lambda answer: answer,
) -> None:
    """Write the graph of TorchScript that answers with a tensor, or with a dict that has one as `out`.

    `finish` is what the entry's format makes of that tensor; the graph does it too.
    """
    answer = module(example.clone())
    if isinstance(answer, Mapping):
        module = torch.jit.script(_Out(module).eval())
        answer = answer["out"]
    axes = {INPUT: {0: BATCH}, OUTPUT: {0: BATCH}} if dynamic else None
    with _unprinted():
        if finish(answer) is not answer:
            # A trace calls a script as a whole: branches and loops of the entry's stay.
            module = torch.jit.trace(OneOutput(module, finish).eval(), example, check_trace=False)
        torch.onnx.export(
            module,
            (example,),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
            verbose=False,
        )


def why_not(exc: BaseException) -> str:
    """Say in a line why a module was not written: an operator without ONNX form, or what was raised first."""
    cause: BaseException | None = exc
    while cause is not None:
        missing = _NO_FORM.search(str(cause))
        if missing:
            return f"the torch operator {missing[1]} has no ONNX equivalent"
        cause = cause.__cause__
    return one_line(exc.__cause__ or exc)


@contextmanager
def _unprinted() -> Iterator[None]:
    """Print nothing: where this exporter fails it prints the graph, which may be longer than a log may be."""
    sys.stdout.flush()
    kept, nowhere = os.dup(STDOUT), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    try:
        yield
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)
        os.close(nowhere)


def without_notes(model: onnx.ModelProto) -> bytes:
    """Return the model without the exporter's notes: they hold paths and source lines of the entrant's."""
    del model.metadata_props[:]
    model.doc_string = ""
    _drop_notes(model.graph)
    return model.SerializeToString(deterministic=True)


def _drop_notes(graph: onnx.GraphProto) -> None:
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    for tensor in graph.initializer:
        del tensor.metadata_props[:]
    for node in graph.node:
        for attribute in node.attribute:
            # The branches of an If, the body of a Loop.
            for inner in (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs:
                _drop_notes(inner)
