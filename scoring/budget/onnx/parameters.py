"""Counts the parameters of an ONNX model: every weight value in it, wherever it is kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from onnx import AttributeProto, GraphProto, NodeProto, TensorProto

# Shapes, axes and index tables are wide integers and no parameters. Beyond this size no honest
# table is known, and weights could be smuggled past the budget as integers to be cast.
MAX_INDEX_VALUES: Final = 65_536
TEXT_BYTES_A_VALUE: Final = 4
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

    Floating-point and quantised (at most 8 bits) tensors count, trainable or not. So do long lists of
    numbers in attributes, and long texts, which the graph could turn into weights.
    """
    seen: set[tuple[str, ...]] = set()
    total = 0
    for tensor in _tensors(graph):
        place = _place(tensor)
        if place is None or place not in seen:
            total += _values(tensor)
        if place is not None:
            seen.add(place)
    return total + sum(_listed_values(node) for node in _nodes(graph))


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
        return _unless_few(max(count, _text_values(tensor.string_data)))
    return _unless_few(count) if tensor.data_type in INDEX_TYPES else count


def _listed_values(node: NodeProto) -> int:
    """Count what a node's attributes list: `Constant` and `Cast`, or `StringSplit`, make weights of it."""
    total = 0
    for attribute in node.attribute:
        if node.op_type == "Constant":
            total += len(attribute.floats)
        else:
            total += _unless_few(len(attribute.floats))
        total += _unless_few(len(attribute.ints))
        total += _unless_few(_text_values([attribute.s, *attribute.strings]))
    return total


def _text_values(texts: Iterable[bytes]) -> int:
    """Count as many values as numbers of four bytes fit into the texts."""
    return sum(len(text) for text in texts) // TEXT_BYTES_A_VALUE


def _unless_few(count: int) -> int:
    return count if count > MAX_INDEX_VALUES else 0


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


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    yield from graph.node
    for inner in _inner_graphs(graph):
        yield from _nodes(inner)


def _inner_graphs(graph: GraphProto) -> Iterator[GraphProto]:
    for attribute in _attributes(graph):
        yield from attribute.graphs
        if attribute.HasField("g"):
            yield attribute.g


def _attributes(graph: GraphProto) -> Iterator[AttributeProto]:
    for node in graph.node:
        yield from node.attribute
