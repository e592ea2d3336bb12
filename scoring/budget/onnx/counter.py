"""Counts one ONNX model in a process of its own; started by `process`, imported by nobody else.

Shape inference is C++ that follows a hostile graph. Limits hold here, and a crash ends this process
and not the worker.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from onnx import GraphProto, ModelProto
from onnx.inliner import inline_local_functions

from scoring.budget.onnx.graph import Counter, Tally
from scoring.budget.onnx.inference import Dialect
from scoring.budget.onnx.parameters import FREE_VALUES, count_parameters
from scoring.budget.onnx.shapes import Fact, Scope, tensor_type, use_short_names
from scoring.budget.onnx.steps import TooLargeError
from scoring.budget.onnx.tensors import forget_large_values, load_small_values
from scoring.budget.onnx.unfolded import Unfolded
from scoring.contracts import with_work

MEMORY_BYTES: Final = 2**30
CPU_S: Final = 90


def main() -> None:
    """Read a path, a size, batches and the input shape from the command line; print the counts as JSON."""
    path, max_value_bytes, batches, *sizes = sys.argv[1:]
    file = Path(path)
    # The file is held twice while it is parsed.
    memory_bytes = MEMORY_BYTES + 3 * file.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    model = ModelProto.FromString(file.read_bytes())
    # The format's check made sure that this stays small.
    model = inline_local_functions(model) if model.functions else model
    load_small_values(model.graph, file.parent)
    try:
        counts = count_model(
            model,
            tuple(int(size) for size in sizes),
            [int(batch) for batch in batches.split(",")],
            int(max_value_bytes),
        )
    except TooLargeError as exc:
        sys.stdout.write(json.dumps({"why": str(exc)}))
    else:
        sys.stdout.write(json.dumps(asdict(counts)))


@dataclass(frozen=True)
class ModelCounts:
    """Parameters, MACs of one sample, operators that were not counted, and the share of products in 8 bits."""

    parameters: int
    macs: int
    uncounted_ops: tuple[str, ...]
    share_in_8_bits: float
    share_in_16_bits: float


def count_model(
    model: ModelProto,
    shape: tuple[int, ...],
    batches: Sequence[int] = (1,),
    max_value_bytes: int | None = None,
) -> ModelCounts:
    """Count a model that is given samples of this shape, in each of these batch sizes; MACs are of one sample.

    Raises `TooLargeError` if a value takes more memory than that, or loops take too many turns. The model
    is stripped of what its shapes do not need.

    A graph can ask how large its batch is and do more work, or none, at some sizes: the dearest binds.
    Those that matter are the size that nearly all samples are run at, and 1, at which a graph is
    timed. The last batch of a run may be smaller still; it concerns fewer samples than one batch, and
    processor time bounds it. A graph with a batch of its own runs at no other.
    """
    use_short_names(model)
    stored = count_parameters(model.graph)
    forget_large_values(model.graph)
    fixed = _fixed_batch(model.graph)
    found = [_count_at(batch, model, shape, max_value_bytes) for batch in ([fixed] if fixed else batches)]
    return ModelCounts(
        parameters=_parameters(stored, found),
        macs=max(-(-_macs(each.tally, each.batch) // each.batch) for each in found),
        uncounted_ops=tuple(sorted({name for each in found for name in each.tally.uncounted})),
        share_in_8_bits=min(_share(each.tally.macs_in_8_bits, each.tally) for each in found),
        share_in_16_bits=min(_share(each.tally.macs_in_16_bits, each.tally) for each in found),
    )


@dataclass(frozen=True)
class _Found:
    """What was counted at one batch size."""

    batch: int
    tally: Tally
    unfolded: Unfolded


def _macs(tally: Tally, batch: int) -> int:
    return with_work(tally.macs, tally.values, batch)


def _share(macs: int, tally: Tally) -> float:
    return macs / tally.macs if tally.macs else 1.0


def _parameters(stored: int, found: Sequence[_Found]) -> int:
    """Return the stored weights, or those made of them if there are far more: position grids are none.

    They are taken at the smallest batch, as what is made for each sample is no weight. Numbers that are
    taken apart into as many at any batch size are weights even where the picture seems to be in them:
    adding 0 times a pixel would hide the others.
    """
    smallest = min(found, key=lambda each: each.batch).unfolded
    steady = 0
    if len(found) > 1:
        sizes = [each.unfolded.split for each in found]
        steady = sum(size for name, size in sizes[0].items() if all(each.get(name) == size for each in sizes))
    unfolded = smallest.values + steady
    return unfolded if unfolded > stored + FREE_VALUES else stored


def _count_at(batch: int, model: ModelProto, shape: tuple[int, ...], max_value_bytes: int | None) -> _Found:
    scope = Scope.empty()
    weights = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name not in weights:
            type_ = tensor_type(value.type.tensor_type.elem_type, (batch, *shape))
            scope.define(value.name, Fact(type_))
    dialect = Dialect(opsets=tuple(model.opset_import), ir_version=model.ir_version)
    counter = Counter(dialect, max_value_bytes=max_value_bytes)
    tally = counter.count(model.graph, scope)
    counter.unfolded.note_results(model.graph, scope)
    return _Found(batch=batch, tally=tally, unfolded=counter.unfolded)


def _fixed_batch(graph: GraphProto) -> int | None:
    """Return the batch that the model's own input states, if it states one."""
    weights = {tensor.name for tensor in graph.initializer}
    for value in graph.input:
        sizes = value.type.tensor_type.shape.dim
        if value.name not in weights:
            return sizes[0].dim_value if sizes and sizes[0].dim_value > 0 else None
    return None


if __name__ == "__main__":
    main()
