"""Multiply-adds of ONNX operators that multiply, from shapes alone: a function for each kind of product."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from onnx import NodeProto, helper

from scoring.budget.onnx.einsum import contraction
from scoring.budget.onnx.shapes import Scope, UnknownShapeError

Formula = Callable[[NodeProto, Scope], int]


def attributes(node: NodeProto) -> Mapping[str, object]:
    """Return the node's attributes as Python values."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _has_input(node: NodeProto, place: int) -> bool:
    return len(node.input) > place and bool(node.input[place])


def convolution(weight: int) -> Formula:
    """Each output value sums over one kernel: output x (channels / groups) x kernel."""
    return lambda node, scope: scope.size(node.output[0]) * math.prod(scope.shape(node.input[weight])[1:])


def transposed_convolution(node: NodeProto, scope: Scope) -> int:
    """Spread each input value over one kernel: input x (filters / groups) x kernel."""
    return scope.size(node.input[0]) * math.prod(scope.shape(node.input[1])[1:])


def matrix_product(node: NodeProto, scope: Scope) -> int:
    """Sum each output value over the last axis of the first factor."""
    return scope.size(node.output[0]) * scope.shape(node.input[0])[-1]


def general_product(node: NodeProto, scope: Scope) -> int:
    """Sum each output value over the axis of A that is not in the output."""
    transposed = bool(attributes(node).get("transA", 0))
    return scope.size(node.output[0]) * scope.shape(node.input[0])[0 if transposed else 1]


def recurrence(node: NodeProto, scope: Scope) -> int:
    """Apply the input and the recurrent weights of all gates and directions at each step."""
    steps_and_batch = math.prod(scope.shape(node.input[0])[:2])
    return steps_and_batch * (scope.size(node.input[1]) + scope.size(node.input[2]))


def values_worked_on(node: NodeProto, scope: Scope) -> int:
    """Return the size of the largest tensor that a node takes or gives; those of unknown shape are left out."""
    names = [name for name in (*node.input, *node.output) if name and scope.knows(name)]
    return max((scope.size(name) for name in names), default=0)


def outer_product(node: NodeProto, scope: Scope) -> int:
    """Count an elementwise product only where it grows beyond both factors.

    A matrix product can be written as such a `Mul` and a `ReduceSum`, to be counted as nothing; the
    growth can be left to an `Expand` before it.
    """
    grown = scope.size(node.output[0])
    return grown if grown > max(scope.distinct(name) for name in node.input) else 0


def einsum(node: NodeProto, scope: Scope) -> int:
    """Contract the factors from left to right, two at a time, as ONNX Runtime does."""
    equation = attributes(node)["equation"]
    text = equation.decode() if isinstance(equation, bytes) else str(equation)
    return contraction(text, [scope.shape(name) for name in node.input])


def attention(node: NodeProto, scope: Scope) -> int:
    """Multiply queries by keys, then weights by values, for each head; past keys count too."""
    queries, keys, values = (scope.shape(name) for name in node.input[:3])
    found = attributes(node)
    if len(queries) == 3:
        heads, kv_heads = found.get("q_num_heads"), found.get("kv_num_heads")
        if not isinstance(heads, int) or not isinstance(kv_heads, int) or not heads or not kv_heads:
            raise UnknownShapeError
        batch, length, width = queries[0], queries[1], queries[2] // heads
        past_and_present, value_width = keys[1], values[2] // kv_heads
    else:
        batch, heads, length, width = queries
        past_and_present, value_width = keys[2], values[3]
    if _has_input(node, 4):
        past_and_present += scope.shape(node.input[4])[2]
    return batch * heads * length * past_and_present * (width + value_width)


def fourier(node: NodeProto, scope: Scope) -> int:
    """Transform along one axis; the dearer one where the node leaves it to the version's default.

    The axis is an attribute up to opset 19 (default 1), and an input since (default -2).
    """
    given, returned = scope.shape(node.input[0]), scope.shape(node.output[0])
    axis = scope.integer(node.input[2]) if _has_input(node, 2) else attributes(node).get("axis")
    places = [axis] if isinstance(axis, int) else [1, -2]
    stated = scope.integer(node.input[1]) if _has_input(node, 1) else 0
    dearest = 0
    for place in places:
        # A real signal's transform keeps half of its values, and its inverse makes them whole again.
        length = stated or max(given[place], returned[place])
        transforms = math.prod(given[:-1]) // max(given[place], 1)
        parts = min(given[-1], returned[-1])
        dearest = max(dearest, _butterflies(length, transforms=transforms, parts=parts))
    return dearest


def short_time_fourier(node: NodeProto, scope: Scope) -> int:
    """Transform each frame; windows are elementwise and free."""
    frames = scope.shape(node.output[0])[1]
    batch, _, *parts = scope.shape(node.input[0])
    length = scope.integer(node.input[3]) if _has_input(node, 3) else scope.size(node.input[2])
    return _butterflies(length, transforms=batch * frames, parts=parts[0] if parts else 1)


def _butterflies(length: int, *, transforms: int, parts: int) -> int:
    """Count n/2 log2 n complex products a transform: of 4 real ones, or of 2 where each value has one part."""
    return round(transforms * 2 * parts * length * math.log2(max(length, 1)) / 2)


def affine_grid(node: NodeProto, scope: Scope) -> int:
    """Multiply each position of the grid, and a one, by the transformation's matrix."""
    return scope.size(node.output[0]) * scope.shape(node.input[0])[-1]


def determinant(node: NodeProto, scope: Scope) -> int:
    """Eliminate: n^3 / 3 for each matrix."""
    *outer, side, _ = scope.shape(node.input[0])
    return math.prod(outer) * -(-(side**3) // 3)
