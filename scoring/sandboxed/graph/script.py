"""Plays TorchScript in Python, one step after the other, so that `torch.export` can follow it.

A script is a graph already, but one with branches, loops, lists, dicts and sizes that became tensors. Played
for a stand-in for a batch, what does not depend on values comes out: each branch is taken or not, each loop
runs its turns, and what is left is operators. TorchScript's own interpreter cannot do that, as it knows no
sizes but numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import torch
from torch import nn

from scoring.sandboxed.failures import MAX_WHY_LENGTH
from scoring.sandboxed.graph.script_numbers import Single, on_numbers, single
from scoring.sandboxed.graph.script_parts import PARTS
from scoring.sandboxed.graph.script_words import ABOUT_TENSORS, MEANINGS, PLAIN, numbered

_QUANTISED: Final = ("quantized::", "aten::quantize", "aten::dequantize")


class Unplayable(Exception):
    """The script does what cannot be written down as a graph; the text says what."""


@dataclass(frozen=True)
class _Held:
    """A tensor of the script, by the name under which the player holds it."""

    name: str


def without_scripts(module: nn.Module) -> nn.Module:
    """Return the module with players in place of TorchScript; ordinary modules around it change in place."""
    return _without_scripts(module, {})


def _without_scripts(module: nn.Module, done: dict[int, nn.Module]) -> nn.Module:
    if isinstance(module, torch.jit.ScriptModule):
        return done.setdefault(id(module), Player(module))
    if id(module) not in done:
        done[id(module)] = module
        children = vars(module).get("_modules", {})
        for name, child in list(children.items()):
            if isinstance(child, nn.Module):
                children[name] = _without_scripts(child, done)
    return done[id(module)]


class Player(nn.Module):
    """Answers as a script does; its tensors are buffers of its own.

    `forward` raises `Unplayable`, and whatever operators raise.
    """

    def __init__(self, script: torch.jit.ScriptModule) -> None:
        super().__init__()
        self._graph = script.inlined_graph
        first, *rest = self._graph.inputs()
        self._inputs = [value.debugName() for value in rest]
        self._fixed: dict[str, Any] = {first.debugName(): script}
        self._held = 0
        for node in _all_nodes(self._graph):
            if node.kind() in _FIXED:
                found = _FIXED[node.kind()](node, self._fixed)
                self._fixed[node.output().debugName()] = self._hold(found)
        self.eval()

    def _hold(self, value: Any) -> Any:
        """Return a value with the tensors in it kept as buffers."""
        if isinstance(value, torch.Tensor):
            name = f"tensor_{self._held}"
            self._held += 1
            self.register_buffer(name, value.detach())
            return _Held(name)
        return numbered(_each(self._hold, value))

    def _taken(self, value: Any) -> Any:
        return getattr(self, value.name) if isinstance(value, _Held) else _each(self._taken, value)

    def forward(self, *given: Any) -> Any:
        """Return what the script returns."""
        values = {name: self._taken(value) for name, value in self._fixed.items()}
        values.update(zip(self._inputs, given, strict=True))
        _play(self._graph.nodes(), values)
        answer, *others = (values[each.debugName()] for each in self._graph.outputs())
        return (answer, *others) if others else _each(_real, _real(answer))


def _each(function: Callable[[Any], Any], value: Any) -> Any:
    """Return a container with the function of each of its values; anything else as it is."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(function, value))
    return {name: function(each) for name, each in value.items()} if isinstance(value, dict) else value


def _real(value: Any) -> Any:
    return value.tensor() if isinstance(value, Single) else _each(_real, value)


def _all_nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _all_nodes(inner)


def _constant(node: Any, fixed: Mapping[str, Any]) -> Any:
    if node.hasAttribute("value") and node.kindOf("value") == "t":
        tensor = node.t("value")
        return tensor if tensor.dim() else Single(tensor.item(), tensor.dtype)
    return node.output().toIValue()


def _attribute(node: Any, fixed: Mapping[str, Any]) -> Any:
    owner = fixed.get(node.input().debugName())
    if owner is None:
        raise Unplayable("the script keeps objects of classes of its own")
    return getattr(owner, node.s("name"))


_FIXED: Final[Mapping[str, Callable[[Any, Mapping[str, Any]], Any]]] = {
    "prim::Constant": _constant,
    "prim::GetAttr": _attribute,
}
"""Nodes whose results are the same whenever the script runs; found once, before it is followed."""


def _play(nodes: Iterator[Any], values: dict[str, Any]) -> None:
    for node in nodes:
        if node.kind() not in _FIXED:
            given = [values[each.debugName()] for each in node.inputs()]
            found = _BY_BLOCKS.get(node.kind(), _step)(node, given, values)
            values.update(zip((each.debugName() for each in node.outputs()), found, strict=True))


def _branch(node: Any, given: list[Any], values: dict[str, Any]) -> list[Any]:
    then, otherwise = node.blocks()
    return _block(then if given[0] else otherwise, [], values)


def _loop(node: Any, given: list[Any], values: dict[str, Any]) -> list[Any]:
    turns, goes_on, *carried = given
    (block,) = node.blocks()
    turn = 0
    while goes_on and turn < turns:
        goes_on, *carried = _block(block, [turn, *carried], values)
        turn += 1
    return carried


def _block(block: Any, given: list[Any], values: dict[str, Any]) -> list[Any]:
    values.update(zip((each.debugName() for each in block.inputs()), given, strict=True))
    _play(block.nodes(), values)
    return [values[each.debugName()] for each in block.outputs()]


_BY_BLOCKS: Final[Mapping[str, Callable[[Any, list[Any], dict[str, Any]], Sequence[Any]]]] = {
    "prim::If": _branch,
    "prim::Loop": _loop,
}


def _step(node: Any, given: list[Any], values: dict[str, Any]) -> Sequence[Any]:
    """Return the results of a node."""
    kind = node.kind()
    if kind in _BY_NODE:
        found: Sequence[Any] = _BY_NODE[kind](node, given)
        return found
    found = _called(kind, node.schema(), given)
    return {0: [], 1: [found]}.get(node.outputsSize(), found)


def _called(kind: str, schema: str, given: list[Any]) -> Any:
    if kind.startswith(_QUANTISED):
        raise Unplayable("it computes with quantised numbers, which a graph does not hold")
    overload, takes_tensors = _facts(schema)
    if takes_tensors:
        found = on_numbers(kind, overload, given)
        if found:
            return found[0]
    elif kind in PLAIN:
        return PLAIN[kind](*given)
    given = [_real(each) for each in given]
    about = ABOUT_TENSORS.get(f"{kind}.{overload}" if overload else kind)
    if about is not None:
        return numbered(about(*given))
    return PARTS[kind](*given) if kind in PARTS else _operated(kind, overload, given)


@cache
def _facts(schema: str) -> tuple[str, bool]:
    """Return an operator's overload, and whether it is given tensors; some nodes have no schema."""
    if not schema.startswith(("aten::", "prim::", "torchvision::")):
        return "", False
    parsed = torch._C.parse_schema(schema)
    return parsed.overload_name, any("Tensor" in str(each.type) for each in parsed.arguments)


def _operated(kind: str, overload: str, given: list[Any]) -> Any:
    namespace, _, name = kind.partition("::")
    try:
        operator = getattr(getattr(getattr(torch.ops, namespace), name), overload or "default")
    except AttributeError:
        raise Unplayable(f"a graph has nothing for {kind}") from None
    args, kwargs = [], {}
    for argument, value in zip(operator._schema.arguments, given, strict=True):
        meanings = MEANINGS.get(str(argument.real_type).removeprefix("Optional[").removesuffix("]"), {})
        meant = meanings.get(value, value) if isinstance(value, int) else value
        if argument.kwarg_only:
            kwargs[argument.name] = meant
        else:
            args.append(meant)
    return operator(*args, **kwargs)


def _raise(node: Any, given: list[Any]) -> Sequence[Any]:
    raise Unplayable(f"the script stops with: {given[0]}"[:MAX_WHY_LENGTH])


def _set(node: Any, given: list[Any]) -> Sequence[Any]:
    raise Unplayable(f"forward() changes {node.s('name')}, which the module keeps for later")


def _chunks(node: Any, given: list[Any]) -> Sequence[Any]:
    return [*given[0].chunk(node.i("chunks"), node.i("dim"))]


_BY_NODE: Final[Mapping[str, Callable[[Any, list[Any]], Sequence[Any]]]] = {
    "prim::ListUnpack": lambda node, given: given[0],
    "prim::TupleUnpack": lambda node, given: given[0],
    "prim::TupleSlice": lambda node, given: [given[0][node.i("beg") : node.i("end")]],
    "prim::NumToTensor": lambda node, given: [single(given[0])],
    "prim::ConstantChunk": _chunks,
    "prim::RaiseException": _raise,
    "prim::SetAttr": _set,
}
"""Nodes that say something besides what they are given, or give several values, or none."""
