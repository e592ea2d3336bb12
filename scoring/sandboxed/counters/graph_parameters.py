"""Counts the weights that an ONNX graph stores as floats or bytes, for the report.

The static counter outside decides on the budget: it counts what else could be weights as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import onnx

_WIDE: Final = frozenset(
    {
        onnx.TensorProto.STRING,
        onnx.TensorProto.BOOL,
        *(onnx.TensorProto.INT16, onnx.TensorProto.INT32, onnx.TensorProto.INT64),
        *(onnx.TensorProto.UINT16, onnx.TensorProto.UINT32, onnx.TensorProto.UINT64),
    }
)


def count_graph_parameters(graph: onnx.GraphProto) -> int:
    """Return how many floats and bytes the graph's tensors hold, and those of the graphs inside it."""
    stored = sum(math.prod(tensor.dims) for tensor in _tensors(graph) if tensor.data_type not in _WIDE)
    return stored + _listed(graph)


def _listed(graph: onnx.GraphProto) -> int:
    """Count the thresholds, leaves and coefficients of classical models, which are lists of attributes."""
    learnt = (node for node in graph.node if node.domain == "ai.onnx.ml")
    return sum(
        len(attribute.floats)
        for node in learnt
        for attribute in node.attribute
        if attribute.name != "nodes_hitrates"
    )


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    yield from (sparse.values for sparse in graph.sparse_initializer)
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        if attribute.HasField("t"):
            yield attribute.t
        if attribute.HasField("sparse_tensor"):
            yield attribute.sparse_tensor.values
        if attribute.HasField("g"):
            yield from _tensors(attribute.g)
