"""Counts the weights that a graph makes of its constants: what reaches the picture's side of the graph.

Constants that are moved, repeated, scaled, added or multiplied with each other hold the weights that they
were made of, as they do in a module that does so in `forward()`. What takes numbers apart (rounding,
remainders, shifts, comparisons, periodic functions), and what draws or lists new ones, makes as many
weights as it has outputs: a 32-bit float can hold three 8-bit ones. What a comparison makes are bits.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from onnx import GraphProto, NodeProto

from scoring.budget.onnx.shapes import Fact, Made, Scope, UnknownShapeError
from scoring.budget.onnx.uses import BYTE, INTEGERS, POINTING

# Their outputs are single bits.
COMPARISONS: Final = frozenset("Equal Greater GreaterOrEqual Less LessOrEqual".split())  # noqa: SIM905
# Operators whose outputs are new numbers.
SPLITTING: Final = frozenset(
    """
    Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Ceil Cos EyeLike Floor
    HammingWindow HannWindow MelWeightMatrix Mod Multinomial NonZero QuantizeLinear RandomNormal
    RandomNormalLike RandomUniform RandomUniformLike Range Round Shape Sign Sin Size StringSplit Tan TopK Unique
    """.split()  # noqa: SIM905 (a table of words)
)
# Operators that see no more of their input than its shape.
OF_SHAPES: Final = frozenset({"EyeLike", "RandomNormalLike", "RandomUniformLike", "Shape", "Size"})
# Beyond so many sources a value is a source of its own.
MAX_SOURCES: Final = 64


def made_of_weight(name: str, size: int) -> Made:
    """Return what a stored tensor is made of: itself."""
    return Made(key=name, sources={name: size})


class Unfolded:
    """Collects the sources of all constants that meet the picture; each counts once, however often it is used."""

    def __init__(self) -> None:
        self._sources: dict[str, int] = {}
        self.split: dict[str, int] = {}
        """Sizes of what numbers were taken apart into, constants or not, by the values' names."""

    @property
    def values(self) -> int:
        """Return how many weights the sources are together."""
        return sum(self._sources.values())

    def see(self, node: NodeProto, scope: Scope) -> None:
        """Say of a node's outputs what they are made of, or note the constants that meet the picture here."""
        names = {} if node.op_type in OF_SHAPES else dict(enumerate(node.input))
        facts = {place: scope.get(name) for place, name in names.items() if name}
        pointing = POINTING.get(node.op_type, frozenset())
        made = {
            place: fact.made for place, fact in facts.items() if fact is not None and fact.made is not None
        }
        if len(made) == len(facts):
            sources = _joined(each for place, each in made.items() if place not in pointing)
            for place, name in enumerate(node.output):
                self._define(name, _key(node, place, made.values()), sources, node, scope)
            return
        for place, fact in facts.items():
            if place not in pointing:
                self.note(fact)
        if _splits(node):
            self.split.update({name: _new_values(node, name, scope) for name in node.output if name})

    def note(self, fact: Fact | None) -> None:
        """Count what a value is made of, if the picture has no part in it."""
        if fact is not None and fact.made is not None:
            for key, values in fact.made.sources.items():
                self._sources[key] = max(values, self._sources.get(key, 0))

    def note_results(self, graph: GraphProto, scope: Scope) -> None:
        """Count what leaves a graph: a constant answer is made of weights too."""
        for value in graph.output:
            self.note(scope.get(value.name))

    def _define(self, name: str, key: str, sources: Mapping[str, int], node: NodeProto, scope: Scope) -> None:
        fact = scope.get(name)
        if fact is None:
            return
        if _splits(node) or not 0 < len(sources) <= MAX_SOURCES:
            sources = {key: _new_values(node, name, scope)}
        scope.define(name, replace(fact, made=Made(key=key, sources=sources)))


def _joined(made: Iterable[Made]) -> dict[str, int]:
    return {source: values for each in made for source, values in each.sources.items()}


def _new_values(node: NodeProto, name: str, scope: Scope) -> int:
    if node.op_type == "ConstantOfShape":
        return 1
    for attribute in node.attribute:
        if node.op_type == "Constant" and attribute.HasField("sparse_tensor"):
            return math.prod(attribute.sparse_tensor.values.dims)
    try:
        return -(-scope.size(name) // (BYTE if node.op_type in COMPARISONS else 1))
    except UnknownShapeError:
        return 0


def _splits(node: NodeProto) -> bool:
    if node.op_type == "Cast":
        return any(attribute.name == "to" and attribute.i in INTEGERS for attribute in node.attribute)
    return node.op_type in SPLITTING or node.op_type in COMPARISONS


def _key(node: NodeProto, place: int, made: Iterable[Made]) -> str:
    """Name a computation, so that the same one on the same constants is the same source."""
    digest = hashlib.sha256(f"{node.op_type} {place}".encode())
    for attribute in sorted(node.attribute, key=lambda each: each.name):
        digest.update(attribute.SerializeToString())
    for each in made:
        digest.update(each.key.encode() + b"\0")
    return digest.hexdigest()
