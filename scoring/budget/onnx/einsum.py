"""Multiply-adds of an Einsum, contracted from left to right, two factors at a time.

ONNX Runtime does so (`onnxruntime/core/providers/cpu/math/einsum.cc`): it never looks for a cheaper
order, and sums what only one factor has before it multiplies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scoring.budget.onnx.shapes import UnknownShapeError

Sizes = dict[str, int]


def contraction(equation: str, shapes: Sequence[tuple[int, ...]]) -> int:
    """Return the MACs of an equation on factors of these shapes; raise `UnknownShapeError` where they do not fit."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise UnknownShapeError
    factors = [_indices(term, shape) for term, shape in zip(terms, shapes, strict=True)]
    kept = _output(right if arrow else _implicit_output(left), factors)
    macs, product = 0, factors[0]
    for place, factor in enumerate(factors[1:], start=2):
        later = kept.union(*factors[place:])
        pair = _pair(_summed(product, later, factor), _summed(factor, later, product))
        macs += math.prod(pair.values())
        product = {index: size for index, size in pair.items() if index in later}
    return macs


def _summed(factor: Sizes, later: frozenset[str], other: Sizes) -> Sizes:
    """Drop the indices that nobody else has: they are summed before the product."""
    return {index: size for index, size in factor.items() if index in later or index in other}


def _pair(one: Sizes, other: Sizes) -> Sizes:
    """Join two factors; a size of 1 is stretched to the other's."""
    return {index: max(one.get(index, 1), other.get(index, 1)) for index in {**one, **other}}


def _output(term: str, factors: Sequence[Sizes]) -> frozenset[str]:
    letters = frozenset(term.replace("...", ""))
    dots = {index for factor in factors for index in factor if index.startswith("...")}
    return letters | dots if "..." in term else letters


def _implicit_output(terms: str) -> str:
    """Keep what stands once: an equation without an arrow sums what stands twice."""
    letters = terms.replace("...", "").replace(",", "")
    return "..." + "".join(letter for letter in letters if letters.count(letter) == 1)


def _indices(term: str, shape: tuple[int, ...]) -> Sizes:
    head, dots, tail = term.partition("...")
    spare = len(shape) - len(head) - len(tail)
    if spare < 0 or (spare and not dots):
        raise UnknownShapeError
    # Axes under an ellipsis align from the right, as in broadcasting.
    middle = [f"...{spare - place}" for place in range(spare)]
    return dict(zip([*head, *middle, *tail], shape, strict=True))
