"""Works out the small values that exporters compute shapes from: integers, booleans and a few plain floats.

Models exported with an open batch compute the target of each `Reshape` in the graph. Each such step is
worked out by the reference implementation of ONNX, on at most some hundred numbers.

What is worked out here must be what a runtime computes, to the last bit: a graph can turn a
difference in the last bit into the size of a slice. So only operators with one right answer are
followed. Sums of floats, roots and exponentials are none: libraries round them differently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    OperatorSetIdProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)
from onnx.reference import ReferenceEvaluator

from scoring.budget.onnx.inference import NONSENSE, Dialect
from scoring.budget.onnx.shapes import Scope, UnknownShapeError, Value

MAX_VALUES: Final = 1_024
# Half precision is left out: a runtime computes it in another precision than numpy.
KEPT_TYPES: Final = frozenset(
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float32", "float64"),
    )
)
# Nothing here makes large values from small ones but `Expand`, `Pad`, `Range`, `Tile` and
# `ConstantOfShape`, whose size is known from their inferred shape before they are worked out.
EXACT_ON_FLOATS: Final = frozenset(
    """
    Abs Add Cast CastLike Ceil Clip Concat Constant ConstantOfShape Div Equal Expand Flatten Floor Gather
    GatherElements GatherND Greater GreaterOrEqual Identity Less LessOrEqual Max Min Mul Neg Pad ReduceMax
    ReduceMin Reshape Round ScatterElements ScatterND Sign Slice Split Squeeze Sub Tile Transpose Unsqueeze
    Where
    """.split()  # noqa: SIM905 (a table of words)
)
EXACT_ON_INTEGERS: Final = EXACT_ON_FLOATS | frozenset(
    """
    And CumSum Mod NonZero Not Or Pow Range ReduceProd ReduceSum Sum Xor
    """.split()  # noqa: SIM905 (a table of words)
)
# A power of integers goes through doubles in a runtime.
EXACT_IN_DOUBLES: Final = 2**53
# How a `Constant` writes numbers other than as a tensor.
NUMBERS: Final[Mapping[str, type[np.generic]]] = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}
Values = dict[str, Value]


def output_values(node: NodeProto, scope: Scope, dialect: Dialect) -> Values:
    """Return those outputs of a node that are small and exactly known, given the types of all of them."""
    try:
        found = _OF_SHAPES.get(node.op_type, _evaluated)(node, scope, dialect)
    except (UnknownShapeError, *NONSENSE):
        return {}
    return {name: value for name, value in found.items() if is_kept(value)}


def is_kept(value: Value) -> bool:
    """Say whether a value is small and of a type that is computed alike everywhere."""
    return value.size <= MAX_VALUES and value.dtype in KEPT_TYPES


def _shape(node: NodeProto, scope: Scope, _: Dialect) -> Values:
    """Return the shape, or the part of it that the attributes ask for (since opset 15)."""
    bounds = {attribute.name: attribute.i for attribute in node.attribute}
    sides = scope.shape(node.input[0])
    part = sides[bounds.get("start", 0) : bounds.get("end", len(sides))]
    return {node.output[0]: np.array(part, np.int64)}


def _size(node: NodeProto, scope: Scope, _: Dialect) -> Values:
    return {node.output[0]: np.array(scope.size(node.input[0]), np.int64)}


_OF_SHAPES: Final[Mapping[str, Callable[[NodeProto, Scope, Dialect], Values]]] = {
    "Shape": _shape,
    "Size": _size,
}


def _evaluated(node: NodeProto, scope: Scope, dialect: Dialect) -> Values:
    outputs = [name for name in node.output if name]
    if node.op_type not in EXACT_ON_INTEGERS or not all(_is_small(name, scope) for name in outputs):
        return {}
    if node.op_type == "Constant":
        return dict(_numbers(node))
    inputs = {name: scope.value(name) for name in node.input if name}
    if node.op_type not in EXACT_ON_FLOATS and any(value.dtype.kind == "f" for value in inputs.values()):
        return {}
    # A division by zero, or a cast of what does not fit, ends differently on each machine.
    with np.errstate(all="raise"):
        found = ReferenceEvaluator(_alone(node, [*inputs], outputs, dialect)).run(None, inputs)
    values = {name: np.asarray(value) for name, value in zip(outputs, found, strict=True)}
    return values if _is_exact(node, inputs, values) else {}


def _is_small(name: str, scope: Scope) -> bool:
    # `NonZero` leaves its size open; its input was small.
    return not scope.knows(name) or scope.size(name) <= MAX_VALUES


def _is_exact(node: NodeProto, inputs: Values, outputs: Values) -> bool:
    if node.op_type == "Pow":
        return all(
            np.abs(value.astype(np.float64)).max(initial=0) < EXACT_IN_DOUBLES for value in outputs.values()
        )
    if node.op_type in {"Cast", "CastLike"}:
        given = next(iter(inputs.values()))
        return given.dtype.kind != "f" or all(_fits(given, value.dtype) for value in outputs.values())
    return True


def _fits(floats: Value, dtype: np.dtype[np.generic]) -> bool:
    if dtype.kind not in "iu":
        return True
    bounds = np.iinfo(dtype.name)
    return bool(np.all(np.isfinite(floats) & (floats > bounds.min - 1.0) & (floats < bounds.max)))


def _numbers(node: NodeProto) -> Iterator[tuple[str, Value]]:
    for attribute in node.attribute:
        if attribute.name == "value":
            yield from _stored(node.output[0], attribute.t)
        elif attribute.name in NUMBERS:
            yield node.output[0], np.array(helper.get_attribute_value(attribute), NUMBERS[attribute.name])


def _stored(name: str, tensor: TensorProto) -> Iterator[tuple[str, Value]]:
    value = stored_value(tensor)
    if value is not None:
        yield name, value


def stored_value(tensor: TensorProto) -> Value | None:
    """Return the value of a tensor that the file holds, if it is small and kept."""
    if math.prod(tensor.dims) > MAX_VALUES or tensor.data_location == TensorProto.EXTERNAL:
        return None
    try:
        value = numpy_helper.to_array(tensor)
    except NONSENSE:
        return None
    return value if is_kept(value) and value.shape == tuple(tensor.dims) else None


def _alone(node: NodeProto, inputs: list[str], outputs: list[str], dialect: Dialect) -> ModelProto:
    """Wrap a node so that it is evaluated in the model's version of it: a bare one runs as the newest."""
    graph = GraphProto(node=[node])
    graph.input.extend(ValueInfoProto(name=name) for name in inputs)
    graph.output.extend(ValueInfoProto(name=name) for name in outputs)
    opset = OperatorSetIdProto(domain="", version=dialect.standard)
    return ModelProto(graph=graph, ir_version=dialect.ir_version, opset_import=[opset])
