"""Functions that an ONNX model defines: put in the place of their calls, as long as that stays small.

What is checked, counted and run is the graph after that; nothing looks at the functions themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from onnx import FunctionProto, ModelProto, NodeProto
from onnx.inliner import inline_local_functions

from scoring.packages.onnx.operators import BUILT_IN_DOMAINS, standard_opset
from scoring.packages.onnx.walk import nodes_below, shown

MAX_FUNCTIONS: Final = 10_000
MAX_DEPTH: Final = 64
# Functions that call functions twice each double with each of them.
MAX_NODES: Final = 200_000
MAX_BYTES: Final = 256 * 2**20
STANDARD: Final = frozenset({"", "ai.onnx"})
Name = tuple[str, str]


class FunctionsError(Exception):
    """Functions that cannot be inlined; the text says why."""


@dataclass(frozen=True)
class _Size:
    nodes: int
    bytes: int
    depth: int


def inlined(model: ModelProto) -> ModelProto:
    """Return the model without functions, or raise `FunctionsError`."""
    if not model.functions:
        return model
    for problem in _problems(model):
        raise FunctionsError(problem)
    try:
        plain: ModelProto = inline_local_functions(model)
    except (RuntimeError, ValueError) as exc:
        raise FunctionsError("its own functions cannot be put in the place of their calls") from exc
    if plain.functions:
        names = _listed(function.name for function in plain.functions)
        raise FunctionsError(f"its own functions ({names}) cannot be put in the place of their calls")
    return plain


def _problems(model: ModelProto) -> Iterator[str]:
    if len(model.functions) > MAX_FUNCTIONS:
        yield f"it defines {len(model.functions):,} functions; at most {MAX_FUNCTIONS:,} are accepted"
    # A runtime and the counter could each take another one of two.
    times = Counter((function.domain, function.name) for function in model.functions)
    if twice := [name for (_, name), number in times.items() if number > 1]:
        yield f"it defines a function more than once ({_listed(twice)}); give each a name of its own"
    # A runtime could take its own operator where the counter takes the function.
    if hiding := [each.name for each in model.functions if each.domain in BUILT_IN_DOMAINS]:
        yield f"its functions ({_listed(hiding)}) are in a domain of built-in operators; use a domain of their own"
    opset = standard_opset(model)
    if others := [each.name for each in model.functions if _opset(each) not in {None, opset}]:
        yield (
            f"its functions ({_listed(others)}) are written for another opset than the model ({opset}); "
            "write all for one opset"
        )
    yield from _size_problems(model)


def _opset(function: FunctionProto) -> int | None:
    return next((each.version for each in function.opset_import if each.domain in STANDARD), None)


def _size_problems(model: ModelProto) -> Iterator[str]:
    known = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[Name, _Size] = {}
    for name in known:
        _measure(name, known, sizes, ())
    whole = _sum(nodes_below(model.graph.node), sizes, own_bytes=0)
    if whole.nodes > MAX_NODES:
        yield (
            f"its functions grow to {whole.nodes:,} operators in the place of their calls; "
            f"at most {MAX_NODES:,} are accepted"
        )
    if whole.bytes > MAX_BYTES:
        yield (
            f"its functions grow to {whole.bytes:,} bytes in the place of their calls; "
            f"at most {MAX_BYTES:,} are accepted: give weights to functions as inputs"
        )


def _measure(
    name: Name, known: Mapping[Name, FunctionProto], sizes: dict[Name, _Size], callers: tuple[Name, ...]
) -> None:
    """Work out how large a function becomes, from those that it calls."""
    if name in callers:
        raise FunctionsError(f"its function {shown(name[1])} calls itself; nothing can take its place")
    if len(callers) > MAX_DEPTH:
        raise FunctionsError(
            f"its functions call each other {len(callers)} deep; at most {MAX_DEPTH} are accepted"
        )
    if name in sizes:
        return
    body = list(nodes_below(known[name].node))
    for called in {(node.domain, node.op_type) for node in body} & known.keys():
        _measure(called, known, sizes, (*callers, name))
    sizes[name] = _sum(body, sizes, own_bytes=known[name].ByteSize())


def _sum(body: Iterable[NodeProto], sizes: Mapping[Name, _Size], *, own_bytes: int) -> _Size:
    nodes, size, depth = 0, own_bytes, 0
    for node in body:
        called = sizes.get((node.domain, node.op_type))
        nodes += called.nodes if called else 1
        size += called.bytes if called else 0
        depth = max(depth, 1 + called.depth if called else 0)
    if depth > MAX_DEPTH:
        raise FunctionsError(f"its functions call each other {depth} deep; at most {MAX_DEPTH} are accepted")
    return _Size(nodes, size, depth)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted({shown(name) for name in names})[:10])
