"""Counts the MACs of a graph at the batches that will run, and finds what no input changes.

No operator of a graph has work or shapes that depend on values, so it is counted on tensors without
values: that takes no longer for a batch of hundreds than for one. Where an operator has no such form the
graph is run. So is a small graph, which takes less time so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

import torch

from scoring.sandboxed.counters import dispatch
from scoring.sandboxed.failures import GraphFailed
from scoring.sandboxed.graph.document import Graph
from scoring.sandboxed.graph.module import GraphModule, Watch

EMPTY: Final = torch.device("meta")
COMPILER: Final = "torch._dynamo"
FEW: Final = 2**27
"""A graph is small if its products, and the values that it works on, are no more than this together."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """MACs of one sample, and the operators that no formula is known for."""

    macs: int
    uncounted: frozenset[str]


def count_work(graph: Graph, example: torch.Tensor, batches: Iterable[int]) -> Work:
    """Return the work per sample at the batch where that is most, rounded up.

    `example` is a batch of at least one sample, as the model receives it.
    """
    several = sorted(set(batches))
    try:
        found = [(batch, _run(graph, example, batch, most=FEW * batch // several[-1])) for batch in several]
    except (GraphFailed, dispatch.TooMuch):
        empty = _without_values(graph)
        found = [(batch, _count(graph, empty, example, batch)) for batch in several]
    return Work(
        macs=max(-(-counter.macs // batch) for batch, counter in found),
        uncounted=frozenset(name for _, counter in found for name in counter.uncounted),
    )


def _without_values(graph: Graph) -> GraphModule:
    return GraphModule(replace(graph, weights={name: w.to(EMPTY) for name, w in graph.weights.items()}))


def _run(graph: Graph, example: torch.Tensor, batch: int, *, most: int | None = None) -> dispatch.MacCounter:
    module = GraphModule(graph)
    shape = (batch, *example.shape[1:])
    return dispatch.count(lambda: module(example[:1].expand(shape).clone()), batch, most=most)


def _count(graph: Graph, empty: GraphModule, example: torch.Tensor, batch: int) -> dispatch.MacCounter:
    shape = (batch, *example.shape[1:])
    try:
        with _without_compiler():
            return dispatch.count(lambda: empty(torch.empty(shape, dtype=example.dtype, device=EMPTY)), batch)
    except GraphFailed:
        # Not every operator has a form without values.
        return _run(graph, example, batch)


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Spare the import of torch's compiler, which is only asked to keep out of what runs without values.

    That import takes longer than all of torch. Whatever else the compiler were asked for fails as an
    operator without such a form does.
    """
    if COMPILER in sys.modules:
        yield
        return
    stand_in = ModuleType(COMPILER)
    vars(stand_in)["disable"] = lambda function, *_, **__: function
    sys.modules[COMPILER] = stand_in
    vars(torch)["_dynamo"] = stand_in
    try:
        yield
    finally:
        del sys.modules[COMPILER]
        vars(torch).pop("_dynamo", None)


def sizes(graph: Graph, example: torch.Tensor) -> dict[int, int]:
    """Return the numbers of elements of all values at this batch."""
    found: dict[int, int] = {}

    def look(place: int, value: Any) -> None:
        found[place] = value.numel() if isinstance(value, torch.Tensor) else 0

    module = GraphModule(graph)
    try:
        with module.watched(look):
            dispatch.count(lambda: module(example.clone()), most=FEW)
    except (GraphFailed, dispatch.TooMuch):
        _look_without_values(graph, module, example, look)
    return found


def _look_without_values(graph: Graph, module: GraphModule, example: torch.Tensor, look: Watch) -> None:
    empty = _without_values(graph)
    with torch.no_grad():
        try:
            with _without_compiler(), empty.watched(look):
                empty(example.to(EMPTY))
        except GraphFailed:
            with module.watched(look):
                module(example)


def steady(module: GraphModule, examples: Iterable[torch.Tensor], places: frozenset[int]) -> frozenset[int]:
    """Return which of the values at `places` are the same for every example."""
    if not places:
        return frozenset()
    first: dict[int, torch.Tensor] = {}
    changed: set[int] = set()

    def look(place: int, value: Any) -> None:
        if place not in places or place in changed or not isinstance(value, torch.Tensor):
            return
        if place not in first:
            first[place] = value.clone()
        elif not _same(first[place], value):
            changed.add(place)

    with torch.no_grad(), module.watched(look):
        for example in examples:
            module(example)
    return frozenset(first) - changed


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))
