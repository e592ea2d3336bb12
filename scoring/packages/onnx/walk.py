"""Walks an ONNX model: every graph in it, every node, every tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import GraphProto, ModelProto, NodeProto, TensorProto


def graphs(model: ModelProto) -> Iterator[GraphProto]:
    """Yield the main graph and every graph inside the attributes of nodes, at any depth."""
    yield model.graph
    yield from graphs_inside(model.graph.node)


def graphs_inside(body: Iterable[NodeProto]) -> Iterator[GraphProto]:
    """Yield every graph inside the attributes of nodes, at any depth."""
    pending = [body]
    while pending:
        for node in pending.pop():
            for attribute in node.attribute:
                inner = [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]
                yield from inner
                pending.extend(graph.node for graph in inner)


def nodes_below(body: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """Yield these nodes and those of the graphs inside them."""
    body = list(body)
    yield from body
    for graph in graphs_inside(body):
        yield from graph.node


def nodes(model: ModelProto) -> Iterator[NodeProto]:
    """Yield every node of every graph."""
    for graph in graphs(model):
        yield from graph.node


def tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Yield every initialiser and every tensor inside the attributes of nodes."""
    for graph in graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        for node in graph.node:
            yield from _attribute_tensors(node)


def _attribute_tensors(node: NodeProto) -> Iterator[TensorProto]:
    for attribute in node.attribute:
        yield from attribute.tensors
        if attribute.HasField("t"):
            yield attribute.t
        sparse_tensors = [*attribute.sparse_tensors]
        if attribute.HasField("sparse_tensor"):
            sparse_tensors.append(attribute.sparse_tensor)
        for sparse in sparse_tensors:
            yield from (sparse.values, sparse.indices)


def is_all_text(model: ModelProto) -> bool:
    """Say whether every string in the model is UTF-8: protobuf hands out others as bytes, unasked."""
    pending: list[Message] = [model]
    while pending:
        for field, value in pending.pop().ListFields():
            values = value if field.is_repeated else [value]
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                pending.extend(values)
            elif field.type == FieldDescriptor.TYPE_STRING and any(
                isinstance(text, bytes) for text in values
            ):
                return False
    return True


def shown(name: str) -> str:
    """Return a hostile name in a form that is safe to print and not too long."""
    return ascii(name[:100])[1:-1]
