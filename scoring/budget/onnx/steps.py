"""Follows the nodes of a graph in their order: what each one's outputs are is added to the scope."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from onnx import GraphProto, NodeProto, TypeProto

from scoring.budget.onnx.inference import Dialect, output_types
from scoring.budget.onnx.shapes import Fact, Scope, UnknownShapeError, tensor_type, value_bytes
from scoring.budget.onnx.unfolded import made_of_weight
from scoring.budget.onnx.values import output_values, stored_value

# Operators whose output holds no numbers but those of these inputs: of the first one, or of all.
REPEATING: Final = frozenset(
    """
    Cast Expand Flatten Gather GatherElements GatherND Identity Reshape Slice Squeeze Tile Transpose Unsqueeze
    """.split()  # noqa: SIM905 (a table of words)
)
JOINING: Final = frozenset({"Concat"})


class TooLargeError(Exception):
    """A graph that no machine runs within the limits of its track; the text says why."""


def define_weights(graph: GraphProto, scope: Scope) -> None:
    """Add the weights that a graph holds to its scope."""
    for tensor in graph.initializer:
        made = made_of_weight(tensor.name, math.prod(tensor.dims))
        type_ = tensor_type(tensor.data_type, tensor.dims)
        scope.define(tensor.name, Fact(type_, stored_value(tensor), made=made))
    for sparse in graph.sparse_initializer:
        made = made_of_weight(sparse.values.name, math.prod(sparse.values.dims))
        type_ = tensor_type(sparse.values.data_type, sparse.dims)
        scope.define(sparse.values.name, Fact(type_, made=made))


def follow(node: NodeProto, scope: Scope, dialect: Dialect, max_value_bytes: int | None) -> None:
    """Add what is known of a node's outputs; raise `TooLargeError` if one could not be held in memory."""
    types = output_types(node, scope, dialect)
    for name in node.output:
        scope.define(name, Fact(types[name]) if name in types else None)
        if max_value_bytes is not None and name in types:
            _refuse_larger(name, types[name], max_value_bytes)
    for name, value in output_values(node, scope, dialect).items():
        type_ = tensor_type(types[name].tensor_type.elem_type, value.shape) if name in types else None
        scope.define(name, type_ and Fact(type_, value))
    _tell_distinct(node, scope)


def _refuse_larger(name: str, type_: TypeProto, max_value_bytes: int) -> None:
    found = value_bytes(type_)
    if found > max_value_bytes:
        why = f"value “{ascii(name[:100])[1:-1]}” takes {found:,} bytes; at most {max_value_bytes:,} are allowed"
        raise TooLargeError(why)


def _tell_distinct(node: NodeProto, scope: Scope) -> None:
    sources = _sources(node)
    fact = scope.get(node.output[0]) if node.output else None
    if not sources or fact is None:
        return
    try:
        scope.define(node.output[0], replace(fact, distinct=sum(scope.distinct(name) for name in sources)))
    except UnknownShapeError:
        return


def _sources(node: NodeProto) -> set[str]:
    if node.op_type in REPEATING:
        return set(node.input[:1])
    return set(node.input) if node.op_type in JOINING else set()
