"""Adds up the MACs of an ONNX graph and of the graphs inside it; runs nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from onnx import GraphProto, NodeProto, TensorProto

from scoring.budget.onnx.formulas import attributes, values_worked_on
from scoring.budget.onnx.inference import Dialect
from scoring.budget.onnx.loops import Facts, Turn, body_of, leave_steady, leave_unrolled, start_of
from scoring.budget.onnx.operators import (
    FORMULAS,
    FREE,
    MOVES,
    PRODUCTS,
    of_unknown_shape,
)
from scoring.budget.onnx.rewritten import DIALECT, REWRITINGS, values_rewritten
from scoring.budget.onnx.shapes import Fact, Scope, UnknownShapeError
from scoring.budget.onnx.steps import TooLargeError, define_weights, follow
from scoring.budget.onnx.unfolded import Unfolded

FLOWS: Final = frozenset({"If", "Loop", "Scan"})
EIGHT_BITS: Final = frozenset({TensorProto.INT8, TensorProto.UINT8})
SIXTEEN_BITS: Final = EIGHT_BITS | {TensorProto.INT16, TensorProto.UINT16}
# Turns are walked one by one as far as this many nodes; beyond, one turn stands for all of them.
MAX_UNROLLED_NODES: Final = 10_000
# An operator takes a runtime a few microseconds, however little it does: a minute for one batch.
MAX_NODE_RUNS: Final = 10_000_000


@dataclass(frozen=True)
class Tally:
    """MACs that were counted, those of them in 8 and in at most 16 bits, names of what was not counted, and nodes run.

    `values` is how many values operators without products worked on.
    """

    macs: int = 0
    uncounted: frozenset[str] = frozenset()
    macs_in_8_bits: int = 0
    macs_in_16_bits: int = 0
    node_runs: int = 0
    values: int = 0

    def plus(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally(
            self.macs + other.macs,
            self.uncounted | other.uncounted,
            self.macs_in_8_bits + other.macs_in_8_bits,
            self.macs_in_16_bits + other.macs_in_16_bits,
            self.node_runs + other.node_runs,
            self.values + other.values,
        )


class Counter:
    """Counts graphs of one model, whose operator versions all of them share."""

    def __init__(self, dialect: Dialect, *, max_value_bytes: int | None = None) -> None:
        self._dialect = dialect
        self._max_value_bytes = max_value_bytes
        self._unrolled_nodes = 0
        self.unfolded = Unfolded()

    def count(self, graph: GraphProto, scope: Scope) -> Tally:
        """Add up a graph whose inputs the scope knows; raise `TooLargeError` if no machine can run it."""
        define_weights(graph, scope)
        total, in_8_bits, in_16_bits = Tally(), set[str](), set[str]()
        for node in graph.node:
            found = self._count_node(node, scope)
            if _is_rounded_to(EIGHT_BITS, node, scope):
                in_8_bits.add(node.output[0])
            if _is_rounded_to(SIXTEEN_BITS, node, scope):
                in_16_bits.add(node.output[0])
            # A bias is a third factor to nobody: it is added.
            if node.op_type in FORMULAS and in_8_bits.issuperset(node.input[:2]):
                found = replace(found, macs_in_8_bits=found.macs)
            if node.op_type in FORMULAS and in_16_bits.issuperset(node.input[:2]):
                found = replace(found, macs_in_16_bits=found.macs)
            total = total.plus(found)
            _refuse_more_runs(total.node_runs)
        return total

    def _count_node(self, node: NodeProto, scope: Scope) -> Tally:
        try:
            if node.op_type in FLOWS:
                return self._count_flow(node, scope)
            if node.op_type in REWRITINGS:
                return self._count_rewritten(node, scope)
            follow(node, scope, self._dialect, self._max_value_bytes)
            self.unfolded.see(node, scope)
            formula = FORMULAS.get(node.op_type)
            if formula is None and node.op_type not in FREE:
                return Tally(uncounted=frozenset({node.op_type}), node_runs=1)
            macs = 0 if formula is None else formula(node, scope)
            return Tally(macs, node_runs=1, values=0 if macs else _worked_on(node, scope))
        except (UnknownShapeError, LookupError, StopIteration, ValueError):
            # The last three: a node that lacks an input, a body or an attribute that its formula needs.
            return Tally(uncounted=frozenset({_unknown(node)}), node_runs=1)

    def _count_rewritten(self, node: NodeProto, scope: Scope) -> Tally:
        """Count an operator of ONNX Runtime's own by the standard ones that do its work."""
        for name in node.output:
            scope.define(name, None)
        inside, macs = scope.inner(), 0
        for each in REWRITINGS[node.op_type](node, inside):
            follow(each, inside, DIALECT, self._max_value_bytes)
            self.unfolded.see(each, inside)
            formula = FORMULAS.get(each.op_type)
            macs += 0 if formula is None else formula(each, inside)
        for name in node.output:
            scope.define(name, inside.get(name))
        if not _is_made(node, scope):
            for name in node.input:
                self.unfolded.note(scope.get(name))
        values = 0 if macs or _is_made(node, scope) else values_rewritten(node, scope)
        return Tally(macs, node_runs=1, values=values)

    def _count_flow(self, node: NodeProto, scope: Scope) -> Tally:
        for name in node.output:
            scope.define(name, None)
        found, leaving = self._branches(node, scope) if node.op_type == "If" else self._loop(node, scope)
        for name, fact in zip(node.output, leaving, strict=False):
            scope.define(name, fact)
        return found

    def _branches(self, node: NodeProto, scope: Scope) -> tuple[Tally, Facts]:
        """Count the branch that is taken, or the dearest of them where that depends on the picture."""
        graphs = {attribute.name: attribute.g for attribute in node.attribute if attribute.HasField("g")}
        try:
            taken = [graphs["then_branch" if scope.truth(node.input[0]) else "else_branch"]]
        except UnknownShapeError:
            taken = list(graphs.values())
        walked = [self._inside(graph, scope.inner()) for graph in taken]
        uncounted = frozenset(name for found, _ in walked for name in found.uncounted)
        macs = max((found.macs for found, _ in walked), default=0)
        runs = 1 + max((found.node_runs for found, _ in walked), default=0)
        values = max((found.values for found, _ in walked), default=0)
        return Tally(macs, uncounted, node_runs=runs, values=values), _agreed(
            [leaving for _, leaving in walked]
        )

    def _inside(self, graph: GraphProto, scope: Scope) -> tuple[Tally, Facts]:
        found = self.count(graph, scope)
        return found, [scope.get(value.name) for value in graph.output]

    def _loop(self, node: NodeProto, scope: Scope) -> tuple[Tally, Facts]:
        start, body = start_of(node, scope, self._dialect.standard), body_of(node)
        if start.turns == math.inf:
            self._refuse_endless(start, body, scope)
        if node.op_type == "Loop" and self._is_short(start, body):
            return self._unroll(start, body, scope)
        return self._repeat(start, body, scope)

    def _refuse_endless(self, start: Turn, body: GraphProto, scope: Scope) -> None:
        _, leaving = self._any_turn(start, body, scope)
        if start.going and _is_true(leaving[0]):
            raise TooLargeError("one of its loops never ends")

    def _is_short(self, start: Turn, body: GraphProto) -> bool:
        left = MAX_UNROLLED_NODES - self._unrolled_nodes
        if start.turns is None:
            return False
        return left > 0 and (start.turns == math.inf or start.turns * _size(body) <= left)

    def _unroll(self, start: Turn, body: GraphProto, scope: Scope) -> tuple[Tally, Facts]:
        """Walk the body once a turn, each with what the one before it left."""
        total, turn, state, certain, gathered = Tally(node_runs=1), 0, start, True, list[Facts]()
        while state.going is not False and turn < (start.turns or 0):
            certain = certain and state.going is True
            self._unrolled_nodes += _size(body)
            if start.turns == math.inf and (not certain or self._unrolled_nodes > MAX_UNROLLED_NODES):
                raise UnknownShapeError
            inside = scope.inner()
            state.at(turn, body).enter(body, inside)
            found, leaving = self._inside(body, inside)
            total, turn, state = total.plus(found), turn + 1, state.next(leaving)
            gathered.append(leaving[start.first_output + len(start.carried) :])
        # What could have ended the loop early is no upper bound of a number of MACs in few bits.
        total = replace(total, macs_in_8_bits=0, macs_in_16_bits=0)
        return total, leave_unrolled(start, state, gathered, certain=certain)

    def _repeat(self, start: Turn, body: GraphProto, scope: Scope) -> tuple[Tally, Facts]:
        """Walk the body once for all its turns, of which it must be true what is true of the first."""
        once, leaving = self._any_turn(start, body, scope)
        turns = _turns(start, leaving)
        if once.macs and turns is None:
            raise UnknownShapeError
        runs = 1 + once.node_runs * (turns or 0)
        _refuse_more_runs(runs)
        facts = leave_steady(start, leaving[start.first_output :], turns)
        macs, values = (found * (turns or 0) for found in (once.macs, once.values))
        return Tally(macs, once.uncounted, node_runs=runs, values=values), facts

    def _any_turn(self, start: Turn, body: GraphProto, scope: Scope) -> tuple[Tally, Facts]:
        inside = scope.inner()
        start.any(body).enter(body, inside)
        return self._inside(body, inside)


def _refuse_more_runs(found: int) -> None:
    if found > MAX_NODE_RUNS:
        raise TooLargeError(
            f"its loops run {found:,} operators a batch; at most {MAX_NODE_RUNS:,} are allowed"
        )


def _turns(start: Turn, leaving: Facts) -> int | None:
    """Return how many turns a loop takes at most; None where its condition ends it who knows when."""
    if start.going is False:
        return 0
    if start.turns is None or start.turns == math.inf:
        return None
    is_certain = start.first_output == 0 or (start.going is True and _is_true(leaving[0]))
    # Exporters write "while" as a loop of 2**63 - 1 turns with a condition.
    return int(start.turns) if is_certain or start.turns <= MAX_NODE_RUNS else None


def _is_true(fact: Fact | None) -> bool:
    return fact is not None and fact.value is not None and bool(fact.value.all())


def _agreed(leaving: Sequence[Facts]) -> Facts:
    """Return what is known of a branch's outputs whichever branch is taken."""
    if len(leaving) == 1:
        return leaving[0]
    return [_common(column) for column in zip(*leaving, strict=False)]


def _common(facts: Sequence[Fact | None]) -> Fact | None:
    first = facts[0]
    agree = first is not None and all(fact is not None and fact.type == first.type for fact in facts)
    return Fact(first.type) if first is not None and agree else None


def _size(graph: GraphProto) -> int:
    """Return how many nodes a graph has, with those of the graphs inside it."""
    inner = [attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")]
    return max(1, len(graph.node)) + sum(map(_size, inner))


def _worked_on(node: NodeProto, scope: Scope) -> int:
    """Return how many values a node works on; constants are worked on once, before the first picture."""
    moves = node.op_type in MOVES and not _combines(node)
    if moves or not node.output:
        return 0
    return 0 if _is_made(node, scope) else values_worked_on(node, scope)


def _combines(node: NodeProto) -> bool:
    """Say whether an operator that scatters adds, multiplies or compares what meets in one place."""
    return attributes(node).get("reduction", b"none") != b"none"


def _is_made(node: NodeProto, scope: Scope) -> bool:
    """Say whether a node's first output is a constant."""
    fact = scope.get(node.output[0]) if node.output else None
    return fact is not None and fact.made is not None


def _unknown(node: NodeProto) -> str:
    """Name a node that was not counted; a loop in which nothing multiplies as the operator alone."""
    needs_shape = node.op_type in FORMULAS or _multiplies(node)
    return of_unknown_shape(node.op_type) if needs_shape else node.op_type


def _multiplies(node: NodeProto) -> bool:
    inner = [each for attribute in node.attribute if attribute.HasField("g") for each in attribute.g.node]
    return node.op_type in PRODUCTS or any(_multiplies(each) for each in inner)


def _is_rounded_to(types: frozenset[int], node: NodeProto, scope: Scope) -> bool:
    fact = scope.get(node.input[0]) if node.op_type == "DequantizeLinear" and node.input else None
    return fact is not None and fact.type.tensor_type.elem_type in types
