"""Adds up the MACs of an ONNX graph and of the graphs inside it; runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

from scoring.budget.onnx.loops import leave, start_of
from scoring.budget.onnx.operators import FORMULAS, FREE, PRODUCTS, of_unknown_shape
from scoring.budget.onnx.shapes import Scope, UnknownShapeError, infer, scope_of, value_info
from scoring.budget.onnx.values import Dialect, Steps

Types = list[TypeProto | None]

FLOWS: Final = frozenset({"If", "Loop", "Scan"})
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
        return self._walk(graph, outer)[0]

    def _walk(self, graph: GraphProto, outer: Scope) -> tuple[Tally, Scope]:
        """Count node by node; return the count and what became known of each value on the way."""
        steps = Steps(scope_of(graph, outer), self.dialect)
        has_gaps = any(_needs_more(node, steps.scope) for node in graph.node)
        total, rounded = Tally(), set[str]()
        for node in graph.node:
            if has_gaps:
                steps.follow(node)
            found = self._count_node(node, steps)
            if _is_rounded_to_8_bits(node, steps.scope):
                rounded.add(node.output[0])
            # A bias is a third factor to nobody: it is added.
            if node.op_type in FORMULAS and rounded.issuperset(node.input[:2]):
                found = replace(found, macs_in_8_bits=found.macs)
            total = total.plus(found)
        return total, steps.scope

    def _count_node(self, node: NodeProto, steps: Steps) -> Tally:
        if node.op_type in FREE:
            return Tally()
        try:
            if node.op_type in FLOWS:
                return self._count_flow(node, steps)
            formula = FORMULAS.get(node.op_type)
            if formula is None:
                return Tally(uncounted=frozenset({node.op_type}))
            return Tally(formula(node, steps.scope))
        except (UnknownShapeError, LookupError, ValueError):
            # The last two: a node that lacks an input or an attribute that its formula needs.
            return Tally(uncounted=frozenset({_unknown(node)}))

    def _count_flow(self, node: NodeProto, steps: Steps) -> Tally:
        count = self._dearest_branch if node.op_type == "If" else self._loop
        found, leaving = count(node, steps.scope)
        steps.learn(node, leaving)
        return found

    def _dearest_branch(self, node: NodeProto, scope: Scope) -> tuple[Tally, Types]:
        graphs = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
        branches, leaving = [], []
        for graph in graphs:
            found, inside = self._walk(graph, scope)
            branches.append(found)
            leaving.append([inside.types.get(value.name) for value in graph.output])
        uncounted = frozenset(name for branch in branches for name in branch.uncounted)
        dearest = max((branch.macs for branch in branches), default=0)
        agreed = [
            types[0] if types.count(types[0]) == len(types) else None for types in zip(*leaving, strict=False)
        ]
        return Tally(dearest, uncounted), agreed

    def _loop(self, node: NodeProto, scope: Scope) -> tuple[Tally, Types]:
        body = next(attribute.g for attribute in node.attribute if attribute.HasField("g"))
        start = start_of(node, scope)
        once, inside = self._walk(self._infer_body(body, start.types, scope), scope)
        last = [inside.types.get(value.name) for value in body.output[start.first_output :]]
        leaving = leave(start, last)
        if once.macs and start.turns is None:
            raise UnknownShapeError
        return Tally(once.macs * (start.turns or 0), once.uncounted), leaving

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


def _unknown(node: NodeProto) -> str:
    """Name a node that was not counted; a loop in which nothing multiplies as the operator alone."""
    needs_shape = node.op_type in FORMULAS or _multiplies(node)
    return of_unknown_shape(node.op_type) if needs_shape else node.op_type


def _multiplies(node: NodeProto) -> bool:
    inner = [each for attribute in node.attribute if attribute.HasField("g") for each in attribute.g.node]
    return node.op_type in PRODUCTS or any(_multiplies(each) for each in inner)


def _is_rounded_to_8_bits(node: NodeProto, scope: Scope) -> bool:
    return (
        node.op_type == "DequantizeLinear"
        and node.input[0] in scope.types
        and scope.types[node.input[0]].tensor_type.elem_type in EIGHT_BITS
    )


def _needs_more(node: NodeProto, scope: Scope) -> bool:
    """Say whether counting the node needs to know more than shape inference told."""
    if node.op_type in FLOWS:
        return True
    names = (*node.input, *node.output)
    return node.op_type in FORMULAS and not all(scope.knows(name) for name in names if name)


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
