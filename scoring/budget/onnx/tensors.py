"""The tensors that a model's file holds: which there are, and whether their values are worth keeping."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from onnx import AttributeProto, GraphProto, NodeProto, TensorProto
from onnx.external_data_helper import load_external_data_for_tensor

from scoring.budget.onnx.values import MAX_VALUES

# Where a tensor keeps its values; the first holds raw bytes, the last says where else they lie.
VALUE_FIELDS: Final = (
    "raw_data",
    "float_data",
    "int32_data",
    "int64_data",
    "double_data",
    "uint64_data",
    "external_data",
)


def named_tensors(graph: GraphProto) -> Iterator[tuple[str, TensorProto]]:
    """Yield every weight of the graph and of the graphs inside it, with the name of its value.

    A tensor in an attribute has the name of the node's first output.
    """
    yield from ((tensor.name, tensor) for tensor in graph.initializer)
    yield from ((sparse.values.name, sparse.values) for sparse in graph.sparse_initializer)
    for node in graph.node:
        name = next(iter(node.output), "")
        for attribute in node.attribute:
            yield from ((name, tensor) for tensor in _tensors_of(attribute))
    for inner in _inner_graphs(graph):
        yield from named_tensors(inner)


def _tensors_of(attribute: AttributeProto) -> Iterator[TensorProto]:
    yield from attribute.tensors
    if attribute.HasField("t"):
        yield attribute.t
    if attribute.HasField("sparse_tensor"):
        yield attribute.sparse_tensor.values


def nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield every node of the graph and of the graphs inside it."""
    yield from graph.node
    for inner in _inner_graphs(graph):
        yield from nodes(inner)


def load_small_values(graph: GraphProto, folder: Path) -> None:
    """Read the small integers that lie in files of their own: exporters put the targets of shapes there too.

    The format's check made sure that they lie in the package.
    """
    for _, tensor in named_tensors(graph):
        is_outside = tensor.data_location == TensorProto.EXTERNAL
        if is_outside and tensor.data_type == TensorProto.INT64 and math.prod(tensor.dims) <= MAX_VALUES:
            load_external_data_for_tensor(tensor, str(folder))


def forget_large_values(graph: GraphProto) -> None:
    """Drop the values of tensors that are too large to be a shape: inference would only copy them."""
    for _, tensor in named_tensors(graph):
        if math.prod(tensor.dims) > MAX_VALUES or tensor.data_location == TensorProto.EXTERNAL:
            for name in VALUE_FIELDS:
                tensor.ClearField(name)
            tensor.ClearField("data_location")


def _inner_graphs(graph: GraphProto) -> Iterator[GraphProto]:
    for node in graph.node:
        for attribute in node.attribute:
            yield from attribute.graphs
            if attribute.HasField("g"):
                yield attribute.g
