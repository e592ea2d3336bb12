"""Counts the values stored in an ONNX graph: initialisers, constants, long lists and texts, in all its subgraphs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

import onnx

FREE_VALUES: Final = 2**18
# Attributes list axes, pads and scales; a longer list of numbers is a table.
MAX_LISTED: Final = 64
TEXT_BYTES_A_VALUE: Final = 4
_FLOATING: Final = frozenset(
    {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.DOUBLE,
        onnx.TensorProto.FLOAT16,
        onnx.TensorProto.BFLOAT16,
        onnx.TensorProto.COMPLEX64,
        onnx.TensorProto.COMPLEX128,
    }
)


def count_graph_parameters(model: onnx.ModelProto) -> int:
    """Return the floating values, and the others if there are more than `FREE_VALUES` of them.

    Few integers are shapes and indices; many are quantised weights.
    """
    floating = other = 0
    for tensor in _tensors(model):
        if tensor.data_type in _FLOATING:
            floating += math.prod(tensor.dims)
        else:
            other += max(math.prod(tensor.dims), _text_values(tensor.string_data))
    other += sum(map(_listed_values, _nodes(model)))
    return floating + (other if other > FREE_VALUES else 0)


def _listed_values(node: onnx.NodeProto) -> int:
    """Count long lists and texts among a node's attributes: `Cast` and `StringSplit` make weights of them."""
    lists = [numbers for each in node.attribute for numbers in (each.ints, each.floats)]
    texts = _text_values(text for each in node.attribute for text in (each.s, *each.strings))
    return texts + sum(len(numbers) for numbers in lists if len(numbers) > MAX_LISTED)


def _text_values(texts: Iterable[bytes]) -> int:
    return sum(len(text) for text in texts) // TEXT_BYTES_A_VALUE


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    waiting = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in node.attribute:
            waiting.extend(node for graph in attribute.graphs for node in graph.node)
            waiting.extend(attribute.g.node)


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from _graph_tensors(model.graph)
    for function in model.functions:
        yield from _node_tensors(function.node)


def _graph_tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    yield from (sparse.values for sparse in graph.sparse_initializer)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: list[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for attribute in (attribute for node in nodes for attribute in node.attribute):
        if attribute.HasField("t"):
            yield attribute.t
        if attribute.HasField("sparse_tensor"):
            yield attribute.sparse_tensor.values
        yield from attribute.tensors
        for graph in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
            yield from _graph_tensors(graph)
