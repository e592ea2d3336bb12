"""A graph as it is written down: one safetensors file, its nodes as JSON in the metadata. Read as hostile.

Values are numbered: 0 is the input, then each node's result in turn. An argument is a plain value, a list
of arguments, or an object with one key that says what it is: `node` and `weight` refer to a value and to
a tensor of the file, `dtype`, `memory_format` and `layout` name one of torch's, `device` stands for the
processor, `number` for what JSON cannot write (infinities, NaN, complex numbers).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import safetensors
import safetensors.torch
import torch

VERSION: Final = 1
LOOSE: Final = "constant:"
"""How the name of a tensor begins that no module registers: one written into forward(), mostly small."""
METADATA: Final = "podium.graph"
MAX_NODES: Final = 100_000
MAX_JSON_BYTES: Final = 32 * 2**20
MAX_DEPTH: Final = 8
DTYPES: Final[Mapping[str, torch.dtype]] = {
    str(each).removeprefix("torch."): each
    for each in (
        torch.float32,
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
        torch.bool,
        torch.complex64,
    )
}
_LAYOUTS: Final = {"strided": torch.strided}
_MEMORY_FORMATS: Final = {
    str(each).removeprefix("torch."): each
    for each in (torch.contiguous_format, torch.preserve_format, torch.channels_last, torch.channels_last_3d)
}
_NAMED: Final[Mapping[str, Mapping[str, Any]]] = {
    "dtype": DTYPES,
    "layout": _LAYOUTS,
    "memory_format": _MEMORY_FORMATS,
}
_PLAIN: Final = (bool, int, str, type(None))


class InvalidGraph(Exception):
    """What was given is not a graph that can be written down or read; its text says why."""


@dataclass(frozen=True)
class Value:
    """The result of a node, by its number; 0 is the input."""

    number: int


@dataclass(frozen=True)
class Weight:
    """A tensor of the file, by its name."""

    name: str


@dataclass(frozen=True)
class OnDevice:
    """The device that the graph runs on, whichever that is."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One call of an operator; `autocast` is the narrower type that products inside it are computed in."""

    operator: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    autocast: torch.dtype | None = None


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Nodes in the order in which they run, the tensors they are given, and which value is the answer.

    `batch` is the batch that the graph was written for; None where it takes any.
    """

    nodes: Sequence[Node]
    weights: Mapping[str, torch.Tensor]
    output: int
    batch: int | None


def write(graph: Graph) -> bytes:
    """Return the graph's file; raise `InvalidGraph` for what it has no words for."""
    text = json.dumps(
        {
            "version": VERSION,
            "batch": graph.batch,
            "output": graph.output,
            "nodes": [_encode_node(node) for node in graph.nodes],
        },
        separators=(",", ":"),
        allow_nan=False,
    )
    strange = {str(weight.dtype) for weight in graph.weights.values() if weight.dtype not in DTYPES.values()}
    if strange:
        raise InvalidGraph(f"a graph cannot hold tensors of {', '.join(sorted(strange))}")
    # Copies: tensors that share memory, or repeat it, are written out.
    weights = {name: _plain(weight) for name, weight in graph.weights.items()}
    return safetensors.torch.save(weights, metadata={METADATA: text})


def read(path: Path) -> Graph:
    """Return the graph in the file; raise `InvalidGraph` for anything else."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA, "")
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a mapping
    except (safetensors.SafetensorError, OSError, ValueError, KeyError) as exc:
        raise InvalidGraph(f"not a safetensors file: {exc}") from exc
    return _Reader(weights).graph(text)


def _plain(weight: torch.Tensor) -> torch.Tensor:
    return weight.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)


def _encode_node(node: Node) -> list[Any]:
    kwargs = {name: _encode(value) for name, value in node.kwargs.items()}
    return [node.operator, [_encode(arg) for arg in node.args], kwargs, _encode(node.autocast)]


def _encode(value: Any, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise InvalidGraph("arguments are nested too deeply")
    if isinstance(value, (list, tuple)):
        return [_encode(each, depth + 1) for each in value]
    if isinstance(value, Value):
        return {"node": value.number}
    if isinstance(value, Weight):
        return {"weight": value.name}
    if isinstance(value, (OnDevice, torch.device)):
        return {"device": True}
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (float, complex)):
        return {"number": str(value)}
    if isinstance(value, _PLAIN):
        return value
    return _encode_named(value)


def _encode_named(value: Any) -> Any:
    for kind, names in _NAMED.items():
        for name, named in names.items():
            if value is named:
                return {kind: name}
    raise InvalidGraph(f"an operator is given {_shown(value)}")


def _shown(value: object) -> str:
    return f"a {type(value).__name__}" if not isinstance(value, torch.dtype) else str(value)


class _Reader:
    """Reads what `write` wrote, and nothing else."""

    def __init__(self, weights: Mapping[str, torch.Tensor]) -> None:
        self._weights = weights
        self._known = 1

    def graph(self, text: str) -> Graph:
        if len(text) > MAX_JSON_BYTES:
            raise InvalidGraph(f"its nodes take {len(text)} bytes, more than {MAX_JSON_BYTES}")
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise InvalidGraph("its nodes are not JSON") from exc
        if (
            not isinstance(raw, dict)
            or raw.get("version") != VERSION
            or not isinstance(raw.get("nodes"), list)
        ):
            raise InvalidGraph("its nodes are not those of a graph")
        if len(raw["nodes"]) > MAX_NODES:
            raise InvalidGraph(f"it has {len(raw['nodes'])} nodes, more than {MAX_NODES}")
        nodes = [self._node(each) for each in raw["nodes"]]
        batch = raw.get("batch")
        if not (batch is None or (_is_integer(batch) and batch > 0)):
            raise InvalidGraph("its batch is not a number")
        return Graph(nodes=nodes, weights=self._weights, output=self._number(raw.get("output")), batch=batch)

    def _node(self, raw: Any) -> Node:
        match raw:
            case [str(operator), list(args), dict(kwargs), autocast]:
                pass
            case _:
                raise InvalidGraph("one of its nodes is not a call")
        dtype = self._decode(autocast)
        if not (dtype is None or isinstance(dtype, torch.dtype)):
            raise InvalidGraph("one of its nodes is cast to something that is not a type")
        node = Node(
            operator=operator,
            args=[self._decode(arg) for arg in args],
            kwargs={name: self._decode(value) for name, value in kwargs.items()},
            autocast=dtype,
        )
        self._known += 1
        return node

    def _number(self, number: Any) -> int:
        if not _is_integer(number) or not 0 <= number < self._known:
            raise InvalidGraph("it refers to a value that does not exist yet")
        return int(number)

    def _decode(self, raw: Any, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise InvalidGraph("arguments are nested too deeply")
        if isinstance(raw, list):
            return [self._decode(each, depth + 1) for each in raw]
        if not isinstance(raw, dict):
            return raw
        if len(raw) != 1:
            raise InvalidGraph("an argument is not one thing")
        [(kind, name)] = raw.items()
        return self._named(kind, name)

    def _named(self, kind: str, name: Any) -> Any:
        if kind == "node":
            return Value(self._number(name))
        if kind == "weight" and isinstance(name, str) and name in self._weights:
            return Weight(name)
        if kind == "device" and name is True:
            return OnDevice()
        if kind == "number" and isinstance(name, str):
            return _number(name)
        if kind in _NAMED and isinstance(name, str) and name in _NAMED[kind]:
            return _NAMED[kind][name]
        raise InvalidGraph(f"an argument is of an unknown kind: {kind[:40]}")


def _number(text: str) -> float | complex:
    try:
        number = complex(text)
    except ValueError as exc:
        raise InvalidGraph("an argument is not a number") from exc
    return number if "j" in text else number.real


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
