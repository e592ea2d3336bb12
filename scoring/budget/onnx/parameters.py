"""Counts the parameters of an ONNX model: every weight value in it, wherever it is kept."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Final

from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper

from scoring.budget.onnx.tensors import VALUE_FIELDS, named_tensors, nodes
from scoring.budget.onnx.uses import Uses, uses_of

# Shapes, axes and index tables are no parameters. More values than this together are weights, which
# could be smuggled past the budget as integers.
FREE_VALUES: Final = 2**18
INTEGER_BITS: Final = 64
# Attributes list axes, pads and scales; a longer list of numbers is a table.
MAX_LISTED: Final = 64
BYTE_BITS: Final = 8
TEXT_BYTES_A_VALUE: Final = 4
LEARNT: Final = "ai.onnx.ml::"
POINTING_LISTS: Final = ("nodes_", "class_", "target_", "leaf_", "tree_", "vectors_")
# One of six words for each node, how it compares (a runtime loads no other), and what no runtime reads.
UNREAD: Final = frozenset({"nodes_modes", "nodes_hitrates"})
POINTERS: Final = frozenset(
    {
        TensorProto.BOOL,
        *(TensorProto.INT16, TensorProto.INT32, TensorProto.INT64),
        *(TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
    }
)
# Wide floats are two weights, complex numbers one for each part.
WORDS: Final[Mapping[int, int]] = {TensorProto.DOUBLE: 2, TensorProto.COMPLEX64: 2, TensorProto.COMPLEX128: 4}


def count_parameters(graph: GraphProto) -> int:
    """Return how many weight values the graph and the graphs inside it hold, shared storage once.

    Floating-point and quantised (at most 8 bits) tensors count, trainable or not. Wide integers, long
    lists of numbers in attributes and texts count if there are more than `FREE_VALUES` of them:
    once where they only point at something, and else by the bytes in them, which the graph could
    turn into weights.
    """
    uses, seen = uses_of(graph), set[tuple[str, ...]]()
    weights = loose = 0
    for name, tensor in named_tensors(graph):
        place = _place(tensor)
        if place and place in seen:
            continue
        seen.add(place)
        if tensor.data_type == TensorProto.STRING:
            loose += max(math.prod(tensor.dims), _text_values(tensor.string_data))
        elif tensor.data_type in POINTERS:
            loose += math.prod(tensor.dims) * _numbers_in(name, tensor, uses)
        else:
            weights += math.prod(tensor.dims) * _numbers_in(name, tensor, uses)
    for node in nodes(graph):
        listed, others = _listed_values(node, uses)
        weights, loose = weights + listed, loose + others
    return weights + (loose if loose > FREE_VALUES else 0)


def _place(tensor: TensorProto) -> tuple[str, ...]:
    """Say what two tensors share that are one: their place in a file, or all integers of a large table.

    Exporters write the same table of relative positions once for each layer.
    """
    shape = (str(tensor.data_type), str(list(tensor.dims)))
    if tensor.data_location == TensorProto.EXTERNAL:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        return (entries.get("location", ""), entries.get("offset", "0"), *shape)
    if tensor.data_type not in POINTERS:
        return ()
    digest = hashlib.sha256(tensor.raw_data)
    for name in VALUE_FIELDS[1:-1]:
        digest.update(repr(list(getattr(tensor, name))).encode())
    return ("", digest.hexdigest(), *shape)


def _numbers_in(name: str, tensor: TensorProto, uses: Uses) -> int:
    if tensor.data_type == TensorProto.BOOL:
        return 1
    if tensor.data_type in POINTERS or tensor.data_type in {TensorProto.INT8, TensorProto.UINT8}:
        return uses.numbers_in(name, _bits(tensor), floating=False)
    return max(WORDS.get(tensor.data_type, 1), uses.numbers_in(name, _bits(tensor), floating=True))


def _bits(tensor: TensorProto) -> int:
    try:
        return int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize) * BYTE_BITS
    except KeyError:
        return BYTE_BITS


def _listed_values(node: NodeProto, uses: Uses) -> tuple[int, int]:
    """Count what a node lists, floats apart: `Constant`, or `Cast` and `StringSplit`, make weights of it."""
    is_constant = node.op_type == "Constant" and len(node.output) > 0
    weights = loose = 0
    for attribute in node.attribute:
        if node.op_type.startswith(LEARNT):
            listed, others = _learnt_values(node, attribute, uses)
            weights, loose = weights + listed, loose + others
            continue
        loose += _text_values([attribute.s, *attribute.strings])
        if is_constant:
            weights += len(attribute.floats)
            loose += len(attribute.ints) * uses.numbers_in(node.output[0], INTEGER_BITS, floating=False)
        elif max(len(attribute.floats), len(attribute.ints)) > MAX_LISTED:
            loose += len(attribute.floats) + len(attribute.ints)
    return weights, loose


def _learnt_values(node: NodeProto, attribute: AttributeProto, uses: Uses) -> tuple[int, int]:
    """Count what an operator of classical models lists: thresholds, leaves and coefficients are weights.

    What tells where a branch leads is an integer that points; other integers may be the answer itself.
    """
    if attribute.name in UNREAD:
        return 0, len(attribute.strings) + len(attribute.floats)
    points = attribute.name.startswith(POINTING_LISTS)
    each = 1 if points else uses.numbers_in(next(iter(node.output), ""), INTEGER_BITS, floating=False)
    return len(attribute.floats), len(attribute.ints) * each + _text_values([attribute.s, *attribute.strings])


def _text_values(texts: Iterable[bytes]) -> int:
    """Count as many values as numbers of four bytes fit into the texts."""
    return sum(len(text) for text in texts) // TEXT_BYTES_A_VALUE
