"""Adds up the MACs of an ONNX graph and of the graphs inside it; runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

from scoring.budget.onnx_macs import FORMULAS, FREE, attributes
from scoring.budget.onnx_shapes import Scope, UnknownShapeError, infer, scope_of, tensor_type, value_info
from scoring.budget.onnx_values import Dialect, complete

EIGHT_BITS: Final = frozenset({TensorProto.INT8, TensorProto.UINT8})


@dataclass(frozen=True)
class Tally:
    """MACs that were counted, those of them in 8 bits, and the names of what was not counted."""

    macs: int = 0
    uncounted: frozenset[str] = frozenset()
    macs_in_8_bits: int = 0

    def plus(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally(
            self.macs + other.macs,
            self.uncounted | other.uncounted,
            self.macs_in_8_bits + other.macs_in_8_bits,
        )


@dataclass(frozen=True)
class Counter:
    """Counts graphs of one model, whose operator versions all of them share."""

    dialect: Dialect

    def count(self, graph: GraphProto, outer: Scope) -> Tally:
        """Add up a graph whose shapes are inferred already."""
        scope = scope_of(graph, outer)
        if not all(_is_known(node, scope) for node in graph.node if node.op_type in FORMULAS):
            scope = complete(graph, scope, self.dialect)
        total, rounded = Tally(), _rounded_to_8_bits(graph, scope)
        for node in graph.node:
            found = self._count_node(node, scope)
            # A bias is a third factor to nobody: it is added.
            if node.op_type in FORMULAS and rounded.issuperset(node.input[:2]):
                found = replace(found, macs_in_8_bits=found.macs)
            total = total.plus(found)
        return total

    def _count_node(self, node: NodeProto, scope: Scope) -> Tally:
        if node.op_type in FREE:
            return Tally()
        try:
            if node.op_type == "If":
                return self._dearest_branch(node, scope)
            if node.op_type in {"Loop", "Scan"}:
                return self._loop(node, scope)
            formula = FORMULAS.get(node.op_type)
            if formula is None:
                return Tally(uncounted=frozenset({node.op_type}))
            return Tally(formula(node, scope))
        except (UnknownShapeError, LookupError, ValueError):
            # The last two: a node that lacks an input or an attribute that its formula needs.
            return Tally(uncounted=frozenset({f"{node.op_type} (shape unknown)"}))

    def _dearest_branch(self, node: NodeProto, scope: Scope) -> Tally:
        branches = [self.count(attribute.g, scope) for attribute in node.attribute if attribute.HasField("g")]
        uncounted = frozenset(name for branch in branches for name in branch.uncounted)
        return Tally(max((branch.macs for branch in branches), default=0), uncounted)

    def _loop(self, node: NodeProto, scope: Scope) -> Tally:
        body = next(attribute.g for attribute in node.attribute if attribute.HasField("g"))
        entry = _scan_entry(node, scope) if node.op_type == "Scan" else _loop_entry(node, scope)
        inferred = self._infer_body(body, entry.types, scope)
        # A carried value that grows from turn to turn makes later turns dearer than the first.
        leaving = [value.type for value in inferred.output[entry.first_output :]]
        for before, after in zip(entry.carried, leaving, strict=False):
            if before.tensor_type.shape != after.tensor_type.shape:
                raise UnknownShapeError
        once = self.count(inferred, scope)
        if once.macs and entry.turns is None:
            raise UnknownShapeError
        return Tally(once.macs * (entry.turns or 0), once.uncounted)

    def _infer_body(self, body: GraphProto, types: list[TypeProto], scope: Scope) -> GraphProto:
        """Infer shapes inside a body from the shapes that enter it."""
        graph = GraphProto()
        graph.CopyFrom(body)
        for value, type_ in zip(graph.input, types, strict=True):
            value.type.CopyFrom(type_)
        own = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
        for name in sorted(_named(graph.node) - own):
            if name in scope.constants:
                constant = graph.initializer.add()
                constant.CopyFrom(scope.constants[name])
                constant.name = name
            elif name in scope.types:
                graph.input.append(value_info(name, scope.types[name]))
        ir_version = max(self.dialect.ir_version, 4)
        model = ModelProto(graph=graph, ir_version=ir_version, opset_import=self.dialect.opsets)
        return infer(model).graph


def _rounded_to_8_bits(graph: GraphProto, scope: Scope) -> set[str]:
    """Return the values that come from 8 bits."""
    return {
        node.output[0]
        for node in graph.node
        if node.op_type == "DequantizeLinear"
        and node.input[0] in scope.types
        and scope.types[node.input[0]].tensor_type.elem_type in EIGHT_BITS
    }


def _is_known(node: NodeProto, scope: Scope) -> bool:
    return all(scope.knows(name) for name in (*node.input, *node.output) if name)


def _named(nodes: Iterable[NodeProto]) -> set[str]:
    """Return the names that nodes read and none of them writes, in the graphs inside them too."""
    read: set[str] = set()
    written: set[str] = set()
    for node in nodes:
        read.update(node.input)
        written.update(node.output)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                read |= _named(attribute.g.node)
    return read - written - {""}


@dataclass(frozen=True)
class _Entry:
    """What enters the body of a loop at its first turn, and which of it is carried to the next."""

    types: list[TypeProto]
    carried: list[TypeProto]
    first_output: int
    turns: int | None


def _loop_entry(node: NodeProto, scope: Scope) -> _Entry:
    carried = [scope.types[name] for name in node.input[2:]]
    types = [tensor_type(TensorProto.INT64, ()), tensor_type(TensorProto.BOOL, ()), *carried]
    try:
        turns: int | None = scope.integer(node.input[0])
    except UnknownShapeError:
        turns = None
    return _Entry(types, carried, first_output=1, turns=turns)


def _scan_entry(node: NodeProto, scope: Scope) -> _Entry:
    found = attributes(node)
    scanned = int(str(found["num_scan_inputs"]))
    axes = found.get("scan_input_axes", [0] * scanned)
    if not isinstance(axes, list) or not 1 <= scanned == len(axes):
        raise UnknownShapeError
    states, sequences = node.input[:-scanned], node.input[-scanned:]
    carried = [scope.types[name] for name in states]
    slices = [_without_axis(scope.types[name], axis) for name, axis in zip(sequences, axes, strict=True)]
    turns = scope.shape(sequences[0])[axes[0]]
    return _Entry([*carried, *slices], carried, first_output=0, turns=turns)


def _without_axis(type_: TypeProto, axis: int) -> TypeProto:
    made = TypeProto()
    made.CopyFrom(type_)
    del made.tensor_type.shape.dim[axis]
    return made
