"""Counts the parameters of an ONNX model: every weight value in it, wherever it is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from onnx import AttributeProto, GraphProto, TensorProto

# Shapes, axes and index tables are wide integers and no parameters. Beyond this size no honest
# table is known, and weights could be smuggled past the budget as integers to be cast.
MAX_INDEX_VALUES: Final = 65_536
INDEX_TYPES: Final = frozenset(
    {
        TensorProto.BOOL,
        TensorProto.INT16,
        TensorProto.UINT16,
        TensorProto.INT32,
        TensorProto.UINT32,
        TensorProto.INT64,
        TensorProto.UINT64,
    }
)


def count_parameters(graph: GraphProto) -> int:
    """Return how many weight values the graph and the graphs inside it hold, shared storage once.

    Floating-point and quantised (at most 8 bits) tensors count, trainable or not.
    """
    seen: set[tuple[str, ...]] = set()
    total = 0
    for tensor in _tensors(graph):
        place = _place(tensor)
        if place is None or place not in seen:
            total += _values(tensor)
        if place is not None:
            seen.add(place)
    return total + sum(len(attribute.floats) for attribute in _constant_floats(graph))


def _place(tensor: TensorProto) -> tuple[str, ...] | None:
    """Return where in a file an external tensor lies: two tensors in one place are one weight."""
    if tensor.data_location != TensorProto.EXTERNAL:
        return None
    entries = {entry.key: entry.value for entry in tensor.external_data}
    return (
        entries.get("location", ""),
        entries.get("offset", "0"),
        str(tensor.data_type),
        str(list(tensor.dims)),
    )


def _values(tensor: TensorProto) -> int:
    count = math.prod(tensor.dims)
    if tensor.data_type == TensorProto.STRING:
        return 0
    return 0 if tensor.data_type in INDEX_TYPES and count <= MAX_INDEX_VALUES else count


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
    for attribute in _attributes(graph):
        yield from attribute.tensors
        if attribute.HasField("t"):
            yield attribute.t
        if attribute.HasField("sparse_tensor"):
            yield attribute.sparse_tensor.values
    for inner in _inner_graphs(graph):
        yield from _tensors(inner)


def _constant_floats(graph: GraphProto) -> Iterator[AttributeProto]:
    for node in graph.node:
        if node.op_type == "Constant":
            yield from node.attribute
    for inner in _inner_graphs(graph):
        yield from _constant_floats(inner)


def _inner_graphs(graph: GraphProto) -> Iterator[GraphProto]:
    for attribute in _attributes(graph):
        yield from attribute.graphs
        if attribute.HasField("g"):
            yield attribute.g


def _attributes(graph: GraphProto) -> Iterator[AttributeProto]:
    for node in graph.node:
        yield from node.attribute
