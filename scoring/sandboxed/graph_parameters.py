"""Counts the values stored in an ONNX graph: initialisers and constants, in all its subgraphs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import onnx

FREE_VALUES: Final = 2**18
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
            other += math.prod(tensor.dims)
    return floating + (other if other > FREE_VALUES else 0)


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
