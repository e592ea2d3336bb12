"""Follows the small values that exporters compute shapes from, where shape inference loses track.

Models exported with an open batch compute the target of each `Reshape` in the graph. ONNX's own
inference gives up on some of these steps; here each is worked out on at most some hundred integers
by the reference implementation of ONNX, and the shapes that follow are inferred node by node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, OperatorSetIdProto, TypeProto, defs, numpy_helper
from onnx.checker import ValidationError
from onnx.reference import ReferenceEvaluator
from onnx.shape_inference import InferenceError, infer_node_outputs

from scoring.budget.onnx_shapes import MAX_KEPT_VALUES, Scope, has_values

Values = dict[str, NDArray[np.generic]]

# Nothing here makes large values from small ones but `Expand`, `Range`, `Tile` and `ConstantOfShape`,
# whose size is known from their inferred shape before they are worked out.
SHAPE_OPERATORS: Final = frozenset(
    """
    Add And Cast Ceil Concat Constant ConstantOfShape Div Equal Expand Floor Gather Greater GreaterOrEqual
    Identity Less LessOrEqual Max Min Mod Mul Neg Not Or Pow Range ReduceProd Reshape ScatterND Size Slice
    Sqrt Squeeze Sub Tile Transpose Unsqueeze Where
    """.split()  # noqa: SIM905 (a table of words)
)
# What the reference implementation raises for nodes that make no sense.
NONSENSE: Final = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


def complete(
    graph: GraphProto, scope: Scope, *, opsets: Sequence[OperatorSetIdProto], ir_version: int
) -> Scope:
    """Return the scope with all the shapes that follow from small values in the graph."""
    types = dict(scope.types)
    known = Scope(types, scope.constants)
    values: Values = {
        name: numpy_helper.to_array(tensor) for name, tensor in scope.constants.items() if has_values(tensor)
    }
    versions = {opset.domain: opset.version for opset in opsets}
    for node in graph.node:
        if not all(known.knows(name) for name in node.output):
            types.update(_infer_node(node, types, values, opsets=opsets, ir_version=ir_version))
        values.update(_evaluate(node, known, values, versions))
    return known


def _infer_node(
    node: NodeProto,
    types: dict[str, TypeProto],
    values: Values,
    *,
    opsets: Sequence[OperatorSetIdProto],
    ir_version: int,
) -> dict[str, TypeProto]:
    version = next((opset.version for opset in opsets if opset.domain in {"", "ai.onnx"}), 0)
    names = [name for name in node.input if name]
    if not defs.has(node.op_type, version, "") or any(name not in types for name in names):
        return {}
    try:
        return infer_node_outputs(
            defs.get_schema(node.op_type, version, ""),
            node,
            {name: types[name] for name in names},
            {name: numpy_helper.from_array(values[name]) for name in names if name in values},
            opset_imports=list(opsets),
            ir_version=ir_version,
        )
    except (InferenceError, ValidationError, *NONSENSE):
        return {}


def _evaluate(node: NodeProto, scope: Scope, values: Values, versions: dict[str, int]) -> Values:
    if node.op_type == "Shape" and len(node.attribute) == 0 and scope.knows(node.input[0]):
        return {node.output[0]: np.array(scope.shape(node.input[0]), np.int64)}
    names = [name for name in node.input if name]
    if node.op_type not in SHAPE_OPERATORS or any(name not in values for name in names):
        return {}
    if not all(scope.knows(name) and scope.size(name) <= MAX_KEPT_VALUES for name in node.output):
        return {}
    try:
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(node, opsets=versions).run(
                None, {name: values[name] for name in names}
            )
    except NONSENSE:
        return {}
    return {name: np.asarray(value) for name, value in zip(node.output, found, strict=True)}
