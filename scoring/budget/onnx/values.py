"""Follows the small values that exporters compute shapes from, where shape inference loses track.

Models exported with an open batch compute the target of each `Reshape` in the graph. ONNX's own
inference gives up on some of these steps; here each is worked out on at most some hundred integers
by the reference implementation of ONNX, and the shapes that follow are inferred node by node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    OperatorSetIdProto,
    TypeProto,
    ValueInfoProto,
    defs,
    numpy_helper,
)
from onnx.checker import ValidationError
from onnx.reference import ReferenceEvaluator
from onnx.shape_inference import InferenceError, infer_node_outputs

from scoring.budget.onnx.shapes import MAX_KEPT_VALUES, Scope, has_values

Values = dict[str, NDArray[np.generic]]

# Nothing here makes large values from small ones but `Expand`, `Pad`, `Range`, `Tile` and
# `ConstantOfShape`, whose size is known from their inferred shape before they are worked out.
SHAPE_OPERATORS: Final = frozenset(
    """
    Abs Add And Cast CastLike Ceil Clip Concat Constant ConstantOfShape CumSum Div Equal Expand Flatten Floor
    Gather GatherElements GatherND Greater GreaterOrEqual Identity Less LessOrEqual Max Min Mod Mul Neg Not Or
    Pad Pow Range Reciprocal ReduceMax ReduceMin ReduceProd ReduceSum Reshape Round ScatterElements ScatterND
    Sign Size Slice Split Sqrt Squeeze Sub Sum Tile Transpose Unsqueeze Where Xor
    """.split()  # noqa: SIM905 (a table of words)
)
# What the reference implementation raises for nodes that make no sense.
NONSENSE: Final = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class Dialect:
    """Which versions of the operators a model is written in."""

    opsets: tuple[OperatorSetIdProto, ...]
    ir_version: int

    @property
    def standard(self) -> int:
        """Return the version of the standard operators; 0 where the model names none."""
        return next((opset.version for opset in self.opsets if not opset.domain), 0)


class Steps:
    """What is known of a graph's values, growing as its nodes are followed in their order."""

    def __init__(self, scope: Scope, dialect: Dialect) -> None:
        self._types, self._constants = dict(scope.types), dict(scope.constants)
        self._dialect = dialect
        self._values: Values = {
            name: numpy_helper.to_array(tensor)
            for name, tensor in scope.constants.items()
            if has_values(tensor)
        }
        self.scope = Scope(self._types, self._constants, scope.origins)

    def follow(self, node: NodeProto) -> None:
        """Add the shapes and small values that a node's outputs have."""
        if not all(self.scope.knows(name) for name in node.output):
            self._types.update(_infer_node(node, self._types, self._values, self._dialect))
        found = _evaluate(node, self.scope, self._values, self._dialect)
        self._values.update(found)
        for name, value in found.items():
            self._constants[name] = numpy_helper.from_array(value, name)

    def learn(self, node: NodeProto, types: Sequence[TypeProto | None]) -> None:
        """Add the types of a node's outputs, as they were found by walking the graphs inside it."""
        for name, type_ in zip(node.output, types, strict=False):
            if type_ is not None and not self.scope.knows(name):
                self._types[name] = type_


def _infer_node(
    node: NodeProto, types: dict[str, TypeProto], values: Values, dialect: Dialect
) -> dict[str, TypeProto]:
    names = [name for name in node.input if name]
    if not defs.has(node.op_type, dialect.standard, "") or any(name not in types for name in names):
        return {}
    try:
        return infer_node_outputs(
            defs.get_schema(node.op_type, dialect.standard, ""),
            node,
            {name: types[name] for name in names},
            {name: numpy_helper.from_array(values[name]) for name in names if name in values},
            opset_imports=list(dialect.opsets),
            ir_version=dialect.ir_version,
        )
    except (InferenceError, ValidationError, *NONSENSE):
        return {}


def _evaluate(node: NodeProto, scope: Scope, values: Values, dialect: Dialect) -> Values:
    if node.op_type == "Shape" and scope.knows(node.input[0]):
        return {node.output[0]: _shape_of(node, scope)}
    names = [name for name in node.input if name]
    if node.op_type not in SHAPE_OPERATORS or any(name not in values for name in names):
        return {}
    outputs = [name for name in node.output if name]
    if not all(scope.knows(name) and scope.size(name) <= MAX_KEPT_VALUES for name in outputs):
        return {}
    try:
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(_alone(node, names, outputs, dialect)).run(
                None, {name: values[name] for name in names}
            )
    except NONSENSE:
        return {}
    return {name: np.asarray(value) for name, value in zip(outputs, found, strict=True)}


def _shape_of(node: NodeProto, scope: Scope) -> NDArray[np.int64]:
    """Return the shape, or the part of it that the attributes ask for (since opset 15)."""
    bounds = {attribute.name: attribute.i for attribute in node.attribute}
    sides = scope.shape(node.input[0])
    return np.array(sides[bounds.get("start", 0) : bounds.get("end", len(sides))], np.int64)


def _alone(node: NodeProto, inputs: list[str], outputs: list[str], dialect: Dialect) -> ModelProto:
    """Wrap a node so that it is evaluated in the model's version of it: a bare one runs as the newest."""
    graph = GraphProto(node=[node])
    graph.input.extend(ValueInfoProto(name=name) for name in dict.fromkeys(inputs))
    graph.output.extend(ValueInfoProto(name=name) for name in outputs)
    opset = OperatorSetIdProto(domain="", version=dialect.standard)
    return ModelProto(graph=graph, ir_version=dialect.ir_version, opset_import=[opset])
