"""What enters the body of a `Loop` or `Scan`, how often it may be walked, and what leaves it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, TypeProto

from scoring.budget.onnx.formulas import attributes
from scoring.budget.onnx.shapes import Fact, Scope, UnknownShapeError, tensor_type

# The version in which `Scan` lost its batch axis; in the one before it slices another axis.
FIRST_SCAN: Final = 9
Facts = list[Fact | None]


@dataclass(frozen=True)
class Turn:
    """What enters a body: `ahead` and `behind` what is carried from turn to turn.

    `turns` is infinite where only the condition ends the loop, and None where nobody knows it;
    `going` is the condition, None where nobody knows it.
    """

    ahead: Facts
    carried: Facts
    behind: Facts
    turns: float | None
    going: bool | None
    first_output: int

    def enter(self, body: GraphProto, scope: Scope) -> None:
        """Define the inputs of the body."""
        facts = [*self.ahead, *self.carried, *self.behind]
        for value, fact in zip(body.input, facts, strict=True):
            scope.define(value.name, fact)

    def at(self, turn: int, body: GraphProto) -> Turn:
        """Return the turn of a `Loop` with its number and its condition known."""
        ahead: Facts = [_scalar(np.int64(turn), body, 0), self.ahead[1]]
        if self.going is not None:
            ahead[1] = _scalar(np.bool_(self.going), body, 1)
        return replace(self, ahead=ahead)

    def any(self, body: GraphProto) -> Turn:
        """Return what is true of every turn if the types that are carried stay the same."""
        carried = [fact and Fact(fact.type) for fact in self.carried]
        if not self.ahead:
            return replace(self, carried=carried)
        ahead: Facts = [_typed(TensorProto.INT64, body, 0), _typed(TensorProto.BOOL, body, 1)]
        if self.going:
            ahead[1] = _scalar(np.bool_(self.going), body, 1)
        return replace(self, ahead=ahead, carried=carried)

    def next(self, leaving: Facts) -> Turn:
        """Return the turn after the one that ends with these outputs of the body."""
        carried = leaving[self.first_output : self.first_output + len(self.carried)]
        return replace(self, carried=carried, going=_truth(leaving[0]))


def start_of(node: NodeProto, scope: Scope, opset: int) -> Turn:
    """Return what enters the node's body first; raise `UnknownShapeError` or `LookupError` if nobody knows."""
    return _scan_start(node, scope, opset) if node.op_type == "Scan" else _loop_start(node, scope)


def body_of(node: NodeProto) -> GraphProto:
    """Return the graph inside a loop."""
    return next(attribute.g for attribute in node.attribute if attribute.name == "body")


def leave_steady(start: Turn, last: Facts, turns: float | None) -> Facts:
    """Return what leaves a loop of which one turn was walked; raise if its turns differ."""
    states, gathered = last[: len(start.carried)], last[len(start.carried) :]
    for before, after in zip(start.carried, states, strict=True):
        # A carried value that grows from turn to turn makes later turns dearer than the first.
        if after is None or before is None or not _alike([before, after]):
            raise UnknownShapeError
    return [*(fact and Fact(fact.type) for fact in states), *(_stacked([fact], turns) for fact in gathered)]


def leave_unrolled(start: Turn, last: Turn, gathered: Sequence[Facts], *, certain: bool) -> Facts:
    """Return what leaves a loop all of whose turns were walked; `certain` says that none could be left out."""
    columns = [[*column] for column in zip(*gathered, strict=True)]
    if certain:
        return [*last.carried, *(_stacked(column, len(gathered)) for column in columns)]
    states = [
        Fact(after.type) if before and after and _alike([before, after]) else None
        for before, after in zip(start.carried, last.carried, strict=True)
    ]
    return [*states, *(None for _ in columns)]


def _alike(facts: Sequence[Fact]) -> bool:
    first = facts[0].type.tensor_type
    return all(
        fact.type.tensor_type.shape == first.shape and fact.type.tensor_type.HasField("shape")
        for fact in facts
    )


def _stacked(facts: Facts, turns: float | None) -> Fact | None:
    known = [fact for fact in facts if fact is not None]
    if not known or len(known) < len(facts) or not _alike(known) or turns is None or turns == math.inf:
        return None
    made = tensor_type(known[0].type.tensor_type.elem_type, (int(turns),))
    made.tensor_type.shape.dim.extend(known[0].type.tensor_type.shape.dim)
    return Fact(made)


def _loop_start(node: NodeProto, scope: Scope) -> Turn:
    limit, condition, *states = (*node.input, "", "")[: max(2, len(node.input))]
    return Turn(
        ahead=[None, scope.get(condition) if condition else None],
        carried=[scope.get(name) for name in states],
        behind=[],
        turns=_turns(limit, scope),
        going=_truth(scope.get(condition)) if condition else True,
        first_output=1,
    )


def _turns(limit: str, scope: Scope) -> float | None:
    if not limit:
        return math.inf
    try:
        return max(0, scope.integer(limit))
    except UnknownShapeError:
        return None


def _scan_start(node: NodeProto, scope: Scope, opset: int) -> Turn:
    found = attributes(node)
    scanned = int(str(found["num_scan_inputs"]))
    axes = found.get("scan_input_axes", [0] * scanned)
    if opset < FIRST_SCAN or not isinstance(axes, list) or not 1 <= scanned == len(axes):
        raise UnknownShapeError
    states, sequences = node.input[:-scanned], node.input[-scanned:]
    return Turn(
        ahead=[],
        carried=[scope.get(name) for name in states],
        behind=[_without_axis(name, axis, scope) for name, axis in zip(sequences, axes, strict=True)],
        turns=scope.shape(sequences[0])[axes[0]],
        going=True,
        first_output=0,
    )


def _without_axis(name: str, axis: int, scope: Scope) -> Fact:
    sizes = list(scope.shape(name))
    del sizes[axis]
    fact = scope.get(name)
    return Fact(tensor_type(fact.type.tensor_type.elem_type if fact else 0, sizes))


def _truth(fact: Fact | None) -> bool | None:
    if fact is None or fact.value is None or fact.value.dtype.kind != "b" or fact.value.size != 1:
        return None
    return bool(fact.value.ravel()[0])


def _scalar(number: np.generic, body: GraphProto, place: int) -> Fact:
    fact = _typed(TensorProto.BOOL if number.dtype.kind == "b" else TensorProto.INT64, body, place)
    return replace(fact, value=np.full(len(fact.type.tensor_type.shape.dim) * (1,), number))


def _typed(element_type: int, body: GraphProto, place: int) -> Fact:
    """Return one number, as a scalar or as a row of one: a runtime takes what the body declares."""
    declared: TypeProto.Tensor = body.input[place].type.tensor_type
    return Fact(tensor_type(element_type, [1] * (len(declared.shape.dim) == 1)))
