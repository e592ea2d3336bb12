"""Runs a graph: a module that calls one operator after the other. Nothing of it is code of an entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn

from scoring.sandboxed.failures import GraphFailed
from scoring.sandboxed.graph.document import Graph, InvalidGraph, Node, OnDevice, Value, Weight
from scoring.sandboxed.graph.operators import BY_MASK, UnknownOperator, check_call, resolve

INPUT: Final = 0
PROCESSOR: Final = "cpu"
Watch = Callable[[int, Any], None]
MASKS: Final = frozenset({torch.bool, torch.uint8})


@dataclass(frozen=True)
class _Call:
    """One node, ready to be run; `frees` are the values that nobody needs after it."""

    node: Node
    function: Callable[..., Any]
    frees: Sequence[int]


class GraphModule(nn.Module):
    """A captured model: its weights are parameters that need no gradients, its answer is that of the graph.

    Building one raises `InvalidGraph` for a graph that calls what it must not.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.batch = graph.batch
        self._output = graph.output
        self._names = {name: f"weight_{place}" for place, name in enumerate(graph.weights)}
        for name, weight in graph.weights.items():
            self.register_parameter(self._names[name], nn.Parameter(weight, requires_grad=False))
        self._calls = _calls(graph)
        self._watch: Watch | None = None

    @contextmanager
    def watched(self, look: Watch) -> Iterator[None]:
        """Let `look` see the number and the value of every result."""
        self._watch = look
        try:
            yield
        finally:
            self._watch = None

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the answer to a batch."""
        before = self._writes()
        values: dict[int, Any] = {INPUT: batch}
        for place, call in enumerate(self._calls, start=1):
            values[place] = self._run(call, values, batch.device)
            if self._watch is not None:
                self._watch(place, values[place])
            for number in call.frees:
                del values[number]
        if self._writes() != before:
            raise GraphFailed(
                "the graph writes to its own weights, so its answers would depend on earlier ones"
            )
        answer: torch.Tensor = values[self._output]
        return answer

    def _run(self, call: _Call, values: Mapping[int, Any], device: torch.device) -> Any:
        args = [self._given(arg, values, device) for arg in call.node.args]
        kwargs = {name: self._given(arg, values, device) for name, arg in call.node.kwargs.items()}
        cast = call.node.autocast
        try:
            _check_indices(call.node.operator, args)
            with nullcontext() if cast is None else torch.autocast(PROCESSOR, dtype=cast):
                return call.function(*args, **kwargs)
        except Exception as exc:
            raise GraphFailed(str(exc), call.node.operator) from exc

    def _given(self, arg: Any, values: Mapping[int, Any], device: torch.device) -> Any:
        if isinstance(arg, Value):
            return values[arg.number]
        if isinstance(arg, Weight):
            return self._parameters[self._names[arg.name]]
        if isinstance(arg, OnDevice):
            return device
        if isinstance(arg, list):
            return [self._given(each, values, device) for each in arg]
        return arg

    def _writes(self) -> int:
        return sum(weight._version for weight in self.parameters())


def _calls(graph: Graph) -> list[_Call]:
    frees: dict[int, list[int]] = {}
    last_uses: dict[int, int] = {}
    for place, node in enumerate(graph.nodes, start=1):
        last_uses.update(dict.fromkeys(referred(node), place))
        last_uses.setdefault(place, place)
    for number, place in last_uses.items():
        if number != graph.output:
            frees.setdefault(place, []).append(number)
    return [_call(node, frees.get(place, [])) for place, node in enumerate(graph.nodes, start=1)]


def _call(node: Node, frees: Sequence[int]) -> _Call:
    try:
        function = resolve(node.operator)
        check_call(function, node.args, node.kwargs)
    except UnknownOperator as exc:
        raise InvalidGraph(str(exc)) from exc
    return _Call(node, function, frees)


def referred(node: Node) -> set[int]:
    """Return the numbers of the values that a node is given."""
    return {each.number for each in leaves(node) if isinstance(each, Value)}


def leaves(node: Node) -> list[Any]:
    """Return a node's arguments, those in lists one by one."""
    found: list[Any] = []
    waiting: list[Any] = [*node.args, *node.kwargs.values()]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        else:
            found.append(each)
    return found


def _check_indices(operator: str, args: Sequence[Any]) -> None:
    """Refuse to pick by a mask: how many values that finds depends on them."""
    if operator in BY_MASK and any(
        isinstance(index, torch.Tensor) and index.dtype in MASKS for index in args[1]
    ):
        raise GraphFailed("what it picks by a mask has a shape that depends on values")
