"""What is known of the values of an ONNX graph: types, sizes, and the small values that shapes are made of."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto, TypeProto, helper

from scoring.contracts.runtime_operators import RUNTIME_OPERATORS, qualified

Value = NDArray[Any]


class UnknownShapeError(Exception):
    """A shape that a formula needs cannot be told without running the model."""


@dataclass(frozen=True)
class Made:
    """What a constant is made of: how many numbers each of its sources holds, by the source's name.

    `key` names the constant itself: equal keys, equal values.
    """

    key: str
    sources: Mapping[str, int]


@dataclass(frozen=True)
class Fact:
    """What is known of one value.

    `value` is there where it is small and exact. `distinct` is how many numbers it holds that are no
    repetitions of others of them, where that is fewer than its size. `made` is there where the picture
    has no part in it.
    """

    type: TypeProto
    value: Value | None = None
    distinct: int | None = None
    made: Made | None = None


@dataclass(frozen=True)
class Scope:
    """What is known of the values that a node can name: those of its graph, then those around it."""

    facts: MutableMapping[str, Fact | None]

    @classmethod
    def empty(cls) -> Scope:
        """Return the scope around a model's main graph."""
        return cls(ChainMap())

    def inner(self) -> Scope:
        """Return the scope of a graph inside this one; what it defines is not seen from here."""
        return Scope(ChainMap({}, *_layers(self.facts)))

    def define(self, name: str, fact: Fact | None) -> None:
        """Say what is known of a value; None hides what an outer graph knows under the same name."""
        if name:
            self.facts[name] = fact

    def get(self, name: str) -> Fact | None:
        """Return what is known of a value."""
        try:
            return self.facts[name]
        except KeyError:
            return None

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a value's shape with every size known, or raise `UnknownShapeError`."""
        fact = self.get(name)
        if fact is None or not fact.type.tensor_type.HasField("shape"):
            raise UnknownShapeError
        sizes = tuple(
            dim.dim_value if dim.HasField("dim_value") else -1 for dim in fact.type.tensor_type.shape.dim
        )
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
        """Return how many numbers a tensor holds."""
        return math.prod(self.shape(name))

    def distinct(self, name: str) -> int:
        """Return how many numbers a tensor holds that are no repetitions of others of them."""
        size, fact = self.size(name), self.get(name)
        return size if fact is None or fact.distinct is None else min(size, fact.distinct)

    def value(self, name: str) -> Value:
        """Return a small value that is known exactly, or raise `UnknownShapeError`."""
        fact = self.get(name)
        if fact is None or fact.value is None:
            raise UnknownShapeError
        return fact.value

    def integer(self, name: str) -> int:
        """Return a known value that is one integer, such as the number of turns of a loop."""
        value = self.value(name)
        if value.dtype.kind not in "iu" or value.size != 1:
            raise UnknownShapeError
        return int(value.ravel()[0])

    def truth(self, name: str) -> bool:
        """Return a known value that is one boolean, such as the condition of a branch."""
        value = self.value(name)
        if value.dtype.kind != "b" or value.size != 1:
            raise UnknownShapeError
        return bool(value.ravel()[0])


def _layers(facts: Mapping[str, Fact | None]) -> list[Any]:
    return facts.maps if isinstance(facts, ChainMap) else [facts]


def tensor_type(element_type: int, sizes: Iterable[int]) -> TypeProto:
    """Build the type of a tensor whose sizes are known."""
    made = TypeProto()
    made.tensor_type.elem_type = element_type
    made.tensor_type.shape.SetInParent()
    for size in sizes:
        made.tensor_type.shape.dim.add().dim_value = size
    return made


def value_bytes(type_: TypeProto) -> int:
    """Return how much memory a value takes; 0 where its sizes or its type are unknown."""
    dims = type_.tensor_type.shape.dim
    if not all(dim.HasField("dim_value") for dim in dims):
        return 0
    return math.prod(max(dim.dim_value, 0) for dim in dims) * _item_bytes(type_.tensor_type.elem_type)


def _item_bytes(element_type: int) -> int:
    if element_type in {TensorProto.UNDEFINED, TensorProto.STRING}:
        return 0
    try:
        return int(helper.tensor_dtype_to_np_dtype(element_type).itemsize)
    except KeyError:
        return 0


def use_short_names(model: ModelProto) -> None:
    """Call the standard operators' domain by one of its two names, and others by their domain's and their own."""
    for opset in model.opset_import:
        opset.domain = _short(opset.domain)
    _use_short_names(model.graph)


def _use_short_names(graph: GraphProto) -> None:
    for node in graph.node:
        if node.domain in RUNTIME_OPERATORS:
            node.op_type = qualified(node.domain, node.op_type)
            node.domain = ""
        node.domain = _short(node.domain)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _use_short_names(attribute.g)


def _short(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain
