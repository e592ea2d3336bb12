"""What enters the body of a `Loop` or `Scan` at its first turn, and what leaves it after the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnx import NodeProto, TensorProto, TypeProto

from scoring.budget.onnx.operators import attributes
from scoring.budget.onnx.shapes import Scope, UnknownShapeError, tensor_type


@dataclass(frozen=True)
class LoopStart:
    """What enters the body, which of it is carried to the next turn, and how many turns there are."""

    types: list[TypeProto]
    carried: list[TypeProto]
    first_output: int
    turns: int | None


def start_of(node: NodeProto, scope: Scope) -> LoopStart:
    """Return what enters the node's body; raise `UnknownShapeError` or `LookupError` where nobody knows."""
    return _scan_start(node, scope) if node.op_type == "Scan" else _loop_start(node, scope)


def leave(start: LoopStart, last: Sequence[TypeProto | None]) -> list[TypeProto | None]:
    """Return the types of the node's outputs, given those that a turn ends with."""
    states, gathered = last[: len(start.carried)], last[len(start.carried) :]
    for before, after in zip(start.carried, states, strict=False):
        # A carried value that grows from turn to turn makes later turns dearer than the first.
        if after is None or before.tensor_type.shape != after.tensor_type.shape:
            raise UnknownShapeError
    return [*states, *(_stacked(type_, start.turns) for type_ in gathered)]


def _stacked(type_: TypeProto | None, turns: int | None) -> TypeProto | None:
    if type_ is None or turns is None or not type_.tensor_type.HasField("shape"):
        return None
    made = tensor_type(type_.tensor_type.elem_type, (turns,))
    made.tensor_type.shape.dim.extend(type_.tensor_type.shape.dim)
    return made


def _loop_start(node: NodeProto, scope: Scope) -> LoopStart:
    carried = [scope.types[name] for name in node.input[2:]]
    types = [tensor_type(TensorProto.INT64, ()), tensor_type(TensorProto.BOOL, ()), *carried]
    try:
        turns: int | None = scope.integer(node.input[0])
    except UnknownShapeError:
        turns = None
    return LoopStart(types, carried, first_output=1, turns=turns)


def _scan_start(node: NodeProto, scope: Scope) -> LoopStart:
    found = attributes(node)
    scanned = int(str(found["num_scan_inputs"]))
    axes = found.get("scan_input_axes", [0] * scanned)
    if not isinstance(axes, list) or not 1 <= scanned == len(axes):
        raise UnknownShapeError
    states, sequences = node.input[:-scanned], node.input[-scanned:]
    carried = [scope.types[name] for name in states]
    slices = [_without_axis(scope.types[name], axis) for name, axis in zip(sequences, axes, strict=True)]
    turns = scope.shape(sequences[0])[axes[0]]
    return LoopStart([*carried, *slices], carried, first_output=0, turns=turns)


def _without_axis(type_: TypeProto, axis: int) -> TypeProto:
    made = TypeProto()
    made.CopyFrom(type_)
    del made.tensor_type.shape.dim[axis]
    return made
