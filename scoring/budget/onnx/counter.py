"""Counts one ONNX model in a process of its own; started by `process`, imported by nobody else.

Shape inference is C++ that follows a hostile graph: a chain of thirty `Concat` doubles a "shape" until
memory is full. Here limits end that, and a crash ends this process and not the worker.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from onnx import GraphProto, ModelProto, TensorProto

from scoring.budget.onnx.graph import Counter
from scoring.budget.onnx.parameters import count_parameters
from scoring.budget.onnx.shapes import (
    Scope,
    forget_declarations,
    forget_values,
    infer,
    tensor_type,
    use_short_names,
)
from scoring.budget.onnx.values import Dialect

MEMORY_BYTES: Final = 2**30
CPU_S: Final = 60


def main() -> None:
    """Read the path and the input shape from the command line; print the counts as JSON."""
    path, *sizes = sys.argv[1:]
    file = Path(path)
    # The file is held twice while it is parsed.
    memory_bytes = MEMORY_BYTES + 3 * file.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    model = ModelProto.FromString(file.read_bytes())
    counts = count_model(model, tuple(int(size) for size in sizes))
    sys.stdout.write(json.dumps(asdict(counts)))


@dataclass(frozen=True)
class ModelCounts:
    """Parameters, MACs of one sample, operators that were not counted, and MACs of 8-bit factors."""

    parameters: int
    macs: int
    uncounted_ops: tuple[str, ...]
    macs_in_8_bits: int


def count_model(model: ModelProto, shape: tuple[int, ...]) -> ModelCounts:
    """Count a model that is given one input of this shape; strips the model of what it does not need."""
    parameters = count_parameters(model.graph)
    for tensor in _large_tensors(model.graph):
        forget_values(tensor)
    forget_declarations(model.graph)
    use_short_names(model)
    batch = _fix_input(model.graph, shape)
    counter = Counter(Dialect(opsets=tuple(model.opset_import), ir_version=model.ir_version))
    tally = counter.count(infer(model).graph, Scope({}, {}))
    macs, in_8_bits = (-(-found // batch) for found in (tally.macs, tally.macs_in_8_bits))
    return ModelCounts(parameters, macs, tuple(sorted(tally.uncounted)), in_8_bits)


def _fix_input(graph: GraphProto, shape: tuple[int, ...]) -> int:
    """Set the input to the contract's shape; return its batch, which is 1 unless the model fixes it."""
    weights = {tensor.name for tensor in graph.initializer}
    for value in graph.input:
        if value.name in weights:
            continue
        sizes = value.type.tensor_type.shape.dim
        batch = max(1, sizes[0].dim_value) if sizes else 1
        value.type.CopyFrom(tensor_type(value.type.tensor_type.elem_type, (batch, *shape)))
        return batch
    return 1


def _large_tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("g"):
                yield from _large_tensors(attribute.g)


if __name__ == "__main__":
    main()
