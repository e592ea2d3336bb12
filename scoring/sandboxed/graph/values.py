"""Counts the values that a graph holds: its weights, and what it makes of constants alone.

Weights count as everywhere: each floating value once, narrower or wider ones as `counters.parameters` has
it; integers by the bytes that they can hold where they are computed with, and once where they only pick.
What a graph computes of constants alone counts at its full size where that is more together than what is
stored: packed weights that are taken apart, a codebook's rows, thin matrices multiplied with each other. The
same computation on the same constants counts once, and moving them about makes nothing.
That a value does not depend on the input is told from the graph; and of what takes numbers apart (shifts,
rounding, comparisons, sines) from what it was for several inputs, as adding 0 times the input would hide it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

import torch

from scoring.sandboxed.counters.parameters import FREE_VALUES
from scoring.sandboxed.graph.document import LOOSE, Graph, Node, Value, Weight
from scoring.sandboxed.graph.module import leaves
from scoring.sandboxed.graph.operators import ARITHMETIC, SIZES

WORD_BYTES: Final = 4
NIBBLES_A_BYTE: Final = 2
FREE_CONSTANTS: Final = 2**12
"""Means, deviations and the like may be written into forward(); more than this are weights."""
_PICKS: Final[Mapping[str, tuple[int, ...]]] = {
    "aten::index": (1,),
    "aten::_unsafe_index": (1,),
    "aten::index_select": (2,),
    "aten::gather": (2,),
    "aten::embedding": (1,),
    "aten::embedding_bag": (1, 2),
    "aten::take_along_dim": (1,),
    "aten::index_put": (1,),
    "aten::index_put_": (1,),
    "aten::index_add": (2,),
    "aten::index_copy": (2,),
    "aten::scatter": (2,),
    "aten::scatter_add": (2,),
}
"""Where an operator takes numbers of places."""
_SHIFTS: Final = frozenset(
    f"aten::{name}{ending}"
    for name in (
        *(
            "bitwise_and",
            "bitwise_or",
            "bitwise_xor",
            "bitwise_not",
            "bitwise_left_shift",
            "bitwise_right_shift",
        ),
        *("__and__", "__or__", "__xor__", "__lshift__", "__rshift__"),
        *("__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__"),
        *("floor_divide", "remainder", "fmod", "floor", "ceil", "round", "trunc", "fix", "frac"),
    )
    for ending in ("", "_")
)
_SPLITS_NAMES = """
eq ne lt le gt ge equal not_equal less less_equal greater greater_equal sign sgn signbit sin cos tan sort
argsort topk
"""
_SPLITS: Final = _SHIFTS | {f"aten::{name}{ending}" for name in _SPLITS_NAMES.split() for ending in ("", "_")}
_WHOLE: Final = frozenset({torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool})
_MOVES_NAMES = """
alias atleast_1d atleast_2d atleast_3d broadcast_to cat chunk clone concat contiguous detach diagonal
expand expand_as flatten flip lift_fresh_copy movedim narrow pad constant_pad_nd permute ravel repeat
repeat_interleave reshape roll select slice split split_with_sizes squeeze stack swapaxes t tile
transpose unbind unflatten unfold unsqueeze view view_as zeros ones full zeros_like ones_like full_like
new_zeros new_ones new_full scalar_tensor
"""
_MOVES: Final = frozenset([*(f"aten::{name}" for name in _MOVES_NAMES.split()), "getitem"])
_OF_SHAPES: Final = frozenset(
    f"aten::{name}"
    for name in ("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "empty_like")
)
"""They see no more of their first argument than its shape."""


@dataclass(frozen=True)
class _Origin:
    """What a value that no input changes is: `key` names the computation, `is_made` says that there is one."""

    key: str
    is_made: bool


_SIZE: Final = _Origin("a size", is_made=False)


def unpacking(graph: Graph) -> frozenset[int]:
    """Return the numbers of the values that an operator gave which can unpack one number into several."""
    return frozenset(place for place, node in enumerate(graph.nodes, start=1) if _unpacks(node))


def count_values(graph: Graph, sizes: Mapping[int, int], steady: Set[int]) -> int:
    """Return how many values the graph holds.

    `sizes` are the numbers of elements of its values at a batch of one, by their numbers; `steady` are those of
    `unpacking(graph)` that were the same for every input tried.
    """
    unfolded = sum(sizes.get(place, 0) for place in _made(graph) | set(steady))
    literals = sum(isinstance(each, (int, float)) for node in graph.nodes for each in leaves(node))
    listed = literals if literals > FREE_VALUES else 0
    return max(_stored(graph), unfolded if unfolded > FREE_VALUES else 0) + listed


def _unpacks(node: Node) -> bool:
    return _name(node) in _SPLITS or node.operator == "aten::view.dtype" or _is_cast_to_whole(node)


def _shifts(node: Node) -> bool:
    """Say whether a node can take a byte apart into smaller numbers, at once."""
    return _name(node) in _SHIFTS or node.operator == "aten::view.dtype" or _is_cast_to_whole(node)


def _is_cast_to_whole(node: Node) -> bool:
    return _name(node) in {"aten::to", "aten::_to_copy"} and any(each in _WHOLE for each in _dtypes(node))


def _name(node: Node) -> str:
    return node.operator.partition(".")[0]


def _dtypes(node: Node) -> Iterator[torch.dtype]:
    return (each for each in leaves(node) if isinstance(each, torch.dtype))


def _stored(graph: Graph) -> int:
    """Return the values of the weights; a few whole numbers, and a few that nobody registered, are free."""
    computed = _computed_with(graph)
    nibbles = NIBBLES_A_BYTE if any(map(_shifts, graph.nodes)) else 1
    floating = constants = 0
    whole: dict[object, int] = {}
    for name, weight in graph.weights.items():
        if weight.is_floating_point() or weight.is_complex():
            values = weight.numel() * max(weight.element_size() // WORD_BYTES, 1)
            floating += values
            constants += values if name.startswith(LOOSE) else 0
        else:
            values = weight.numel() * (weight.element_size() * nibbles if name in computed else 1)
            whole[_content(weight)] = values
    free = constants if constants <= FREE_CONSTANTS else 0
    listed = sum(whole.values())
    return floating - free + (listed if listed > FREE_VALUES else 0)


def _content(weight: torch.Tensor) -> object:
    """Return what equal tables have in common: each block of a transformer holds the same one."""
    return weight.dtype, weight.shape, hashlib.sha256(weight.contiguous().numpy().data).digest()


def _computed_with(graph: Graph) -> set[str]:
    """Return the names of weights that are used, moved or not, for something else than saying where."""
    found: set[str] = set()
    moved: dict[int, set[str]] = {}
    for place, node in enumerate(graph.nodes, start=1):
        if _name(node) in _MOVES or _is_cast_to_whole(node):
            moved[place] = _weights_in(leaves(node), moved)
            continue
        picks = _PICKS.get(_name(node), ())
        others = [arg for number, arg in enumerate(node.args) if number not in picks]
        found |= _weights_in(leaves(Node(operator="", args=others, kwargs=node.kwargs)), moved)
    return found | moved.get(graph.output, set())


def _weights_in(given: list[Any], moved: Mapping[int, set[str]]) -> set[str]:
    names = {each.name for each in given if isinstance(each, Weight)}
    return names.union(*(moved.get(each.number, set()) for each in given if isinstance(each, Value)))


def _made(graph: Graph) -> set[int]:
    """Return the values that no input changes, that the input meets, and that are more than weights moved about."""
    origins: dict[int, _Origin] = {}
    met: set[int] = set()
    for place, node in enumerate(graph.nodes, start=1):
        numbers = [each.number for each in leaves(node) if isinstance(each, Value)]
        changing = [number for number in numbers if number not in origins]
        if not changing or _sees_sizes(node, changing):
            origins[place] = _origin(node, origins)
        else:
            met.update(number for number in numbers if number in origins)
    by_key = {origins[place].key: place for place in met if origins[place].is_made}
    return set(by_key.values())


def _sees_sizes(node: Node, changing: list[int]) -> bool:
    """Say whether a node is given no more of what changes than how large it is."""
    if node.operator in SIZES:
        return True
    return _name(node) in _OF_SHAPES and list(node.args[:1]) == [Value(n) for n in changing]


def _origin(node: Node, origins: Mapping[int, _Origin]) -> _Origin:
    given = leaves(node)
    before = [origins[each.number] for each in given if isinstance(each, Value) and each.number in origins]
    # A hostile graph may do with tensors what is meant for sizes.
    of_sizes = all(each is _SIZE for each in before) and not any(isinstance(each, Weight) for each in given)
    if node.operator in SIZES or (node.operator in ARITHMETIC and of_sizes):
        return _SIZE
    return _Origin(_key(node, origins), _name(node) not in _MOVES or any(each.is_made for each in before))


def _key(node: Node, origins: Mapping[int, _Origin]) -> str:
    """Name a computation by what is computed of which constants."""

    def named(arg: Any) -> Any:
        if isinstance(arg, Value):
            return origins[arg.number].key if arg.number in origins else arg
        return [named(each) for each in arg] if isinstance(arg, list) else arg

    text = repr(
        (node.operator, [named(each) for each in node.args], sorted(node.kwargs.items()), node.autocast)
    )
    return hashlib.sha256(text.encode()).hexdigest()
