"""Infers the types of a node's outputs from those of its inputs and from the small values that are known.

ONNX's own inference of one node is asked, and of nothing declared: a model that declares its large
activations as small ones would otherwise be counted as small. Its inference of whole graphs is not
asked: it propagates values by rules of its own, which are not those that a runtime computes by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onnx import NodeProto, OperatorSetIdProto, TensorProto, TypeProto, defs, numpy_helper
from onnx.checker import ValidationError
from onnx.shape_inference import InferenceError, infer_node_outputs

from scoring.budget.onnx.shapes import Scope
from scoring.contracts.runtime_operators import RUNTIME_NORMALISATIONS

# What ONNX's Python and C++ raise for nodes that make no sense.
NONSENSE: Final = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


# Operators that are defined by a function alone: which other one gives the same types, from how many inputs.
STAND_INS: Final = {
    "GreaterOrEqual": ("Greater", 2),
    "GroupNormalization": ("Identity", 1),
    "LessOrEqual": ("Less", 2),
    "MeanVarianceNormalization": ("Identity", 1),
}


@dataclass(frozen=True)
class Dialect:
    """Which versions of the operators a model is written in."""

    opsets: tuple[OperatorSetIdProto, ...]
    ir_version: int

    @property
    def standard(self) -> int:
        """Return the version of the standard operators; 0 where the model names none."""
        return next((opset.version for opset in self.opsets if not opset.domain), 0)


def output_types(node: NodeProto, scope: Scope, dialect: Dialect) -> dict[str, TypeProto]:
    """Return the types of a node's outputs; nothing where an input's is unknown or the node makes no sense."""
    names = list(dict.fromkeys(name for name in node.input if name))
    facts = {name: fact for name in names if (fact := scope.get(name)) is not None}
    if node.op_type in RUNTIME_NORMALISATIONS and not defs.has(node.op_type, dialect.standard, ""):
        node = NodeProto(op_type="Identity", input=node.input[:1], output=node.output[:1])
    if len(facts) < len(names) or not defs.has(node.op_type, dialect.standard, ""):
        return {}
    types = {name: fact.type for name, fact in facts.items()}
    values = {
        name: numpy_helper.from_array(fact.value, name)
        for name, fact in facts.items()
        if fact.value is not None
    }
    try:
        return _inferred(node, types, values, dialect)
    except (InferenceError, ValidationError, *NONSENSE):
        return {}


def _inferred(
    node: NodeProto, types: dict[str, TypeProto], values: dict[str, TensorProto], dialect: Dialect
) -> dict[str, TypeProto]:
    schema = defs.get_schema(node.op_type, dialect.standard, "")
    if not schema.has_type_and_shape_inference_function:
        node = _stand_in(node)
        schema = defs.get_schema(node.op_type, dialect.standard, "")
    found: dict[str, TypeProto] = infer_node_outputs(
        schema, node, types, values, opset_imports=list(dialect.opsets), ir_version=dialect.ir_version
    )
    return found


def _stand_in(node: NodeProto) -> NodeProto:
    """Return a node of an operator that gives the same types, for one that ONNX infers nothing of."""
    operator, inputs = STAND_INS[node.op_type]
    return NodeProto(op_type=operator, input=node.input[:inputs], output=node.output)
