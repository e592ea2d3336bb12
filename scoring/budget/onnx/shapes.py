"""Shapes of every value of an ONNX graph, inferred from the track's input and from nothing declared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    TypeProto,
    ValueInfoProto,
    helper,
    numpy_helper,
    shape_inference,
)

# Shape inference reads the values of small tensors only (target shapes, axes, scales).
MAX_KEPT_VALUES: Final = 1_024
VALUE_FIELDS: Final = (
    "raw_data",
    "float_data",
    "int32_data",
    "int64_data",
    "double_data",
    "uint64_data",
    "external_data",
)
# How a `Constant` writes numbers other than as a tensor.
NUMBERS: Final[Mapping[str, type[np.generic]]] = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
}
# Operators whose output holds no values but those of their first input.
REPEATING: Final = frozenset(
    {"Cast", "Expand", "Flatten", "Identity", "Reshape", "Squeeze", "Tile", "Transpose", "Unsqueeze"}
)


class UnknownShapeError(Exception):
    """A shape that a formula needs cannot be told without running the model."""


@dataclass(frozen=True)
class Scope:
    """What is known of the values that a node can name: their types, and small constants.

    `origins` names, for a value that only repeats another or lays it out anew, that other value.
    """

    types: Mapping[str, TypeProto]
    constants: Mapping[str, TensorProto]
    origins: Mapping[str, str] = field(default_factory=dict)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a value's shape with every size known, or raise `UnknownShapeError`."""
        tensor = self.types[name].tensor_type if name in self.types else TypeProto.Tensor()
        if not tensor.HasField("shape"):
            raise UnknownShapeError
        sizes = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
        if any(size < 0 for size in sizes):
            raise UnknownShapeError
        return sizes

    def knows(self, name: str) -> bool:
        """Say whether every size of a value is known."""
        try:
            self.shape(name)
        except UnknownShapeError:
            return False
        return True

    def size(self, name: str) -> int:
        """Return how many values a tensor holds."""
        return math.prod(self.shape(name))

    def distinct(self, name: str) -> int:
        """Return how many values a tensor holds that are no repetitions of others of them."""
        smallest = self.size(name)
        while name in self.origins:
            name = self.origins[name]
            smallest = min(smallest, self.size(name))
        return smallest

    def integer(self, name: str) -> int:
        """Return a constant that is one integer, such as the number of turns of a loop."""
        tensor = self.constants.get(name)
        if tensor is None or tensor.data_type not in {TensorProto.INT32, TensorProto.INT64}:
            raise UnknownShapeError
        values = numpy_helper.to_array(tensor).ravel()
        if len(values) != 1:
            raise UnknownShapeError
        return int(values[0])


def infer(model: ModelProto) -> ModelProto:
    """Return the model with the shapes that follow from its inputs."""
    return shape_inference.infer_shapes(model, strict_mode=False, data_prop=True)


def scope_of(graph: GraphProto, outer: Scope) -> Scope:
    """Return what is known inside an inferred graph: its own values and those around it."""
    types = dict(outer.types)
    constants = dict(outer.constants)
    for value in (*graph.input, *graph.value_info, *graph.output):
        types[value.name] = value.type
    for tensor in graph.initializer:
        types[tensor.name] = tensor_type(tensor.data_type, tensor.dims)
        constants[tensor.name] = tensor
    origins = dict(outer.origins)
    named = {*origins, *origins.values()}
    for node in graph.node:
        if node.op_type == "Constant":
            constants.update(_constants(node))
        # Written before it is read, so that no chain of origins runs in a circle.
        if node.op_type in REPEATING and node.input and node.output and node.output[0] not in named:
            origins[node.output[0]] = node.input[0]
            named.update((node.output[0], node.input[0]))
    return Scope(types, constants, origins)


def _constants(node: NodeProto) -> Iterator[tuple[str, TensorProto]]:
    for attribute in node.attribute:
        if attribute.name == "value":
            yield node.output[0], attribute.t
        elif attribute.name in NUMBERS:
            numbers = np.array(helper.get_attribute_value(attribute), NUMBERS[attribute.name])
            yield node.output[0], numpy_helper.from_array(numbers)


def tensor_type(element_type: int, sizes: Iterable[int]) -> TypeProto:
    """Build the type of a tensor whose sizes are known."""
    made = TypeProto()
    made.tensor_type.elem_type = element_type
    made.tensor_type.shape.SetInParent()
    for size in sizes:
        made.tensor_type.shape.dim.add().dim_value = size
    return made


def value_info(name: str, type_: TypeProto) -> ValueInfoProto:
    """Build the declaration of a value."""
    return ValueInfoProto(name=name, type=type_)


def forget_declarations(graph: GraphProto) -> None:
    """Drop every declared type and shape but those of inputs, at any depth.

    A model that declares its large activations as small ones would otherwise be counted as small.
    """
    del graph.value_info[:]
    for output in graph.output:
        output.ClearField("type")
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                forget_declarations(inner)


def use_short_names(model: ModelProto) -> None:
    """Call the standard operators' domain by one of its two names, so that shape inference finds them."""
    for opset in model.opset_import:
        opset.domain = _short(opset.domain)
    _use_short_names(model.graph)


def _use_short_names(graph: GraphProto) -> None:
    for node in graph.node:
        node.domain = _short(node.domain)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _use_short_names(attribute.g)


def _short(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def has_values(tensor: TensorProto) -> bool:
    """Say whether a tensor is small and its values were kept."""
    return math.prod(tensor.dims) <= MAX_KEPT_VALUES and any(
        len(getattr(tensor, name)) for name in VALUE_FIELDS
    )


def forget_values(tensor: TensorProto) -> None:
    """Drop the values of a tensor that is too large to be a shape: inference would only copy them."""
    if math.prod(tensor.dims) > MAX_KEPT_VALUES or tensor.data_location == TensorProto.EXTERNAL:
        for name in VALUE_FIELDS:
            tensor.ClearField(name)
        tensor.ClearField("data_location")
