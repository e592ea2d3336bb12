"""MACs of matrix products and of what consists of them: attention, recurrent layers, lookups that add up.

Products of complex numbers are counted in real ones: four for two complex factors, two for one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from scoring.sandboxed.counters.packed import packed_weights

# What an operator was called with and what it returned; torch gives these no narrower type.
Formula = Callable[[Sequence[Any], Any], int]


def real_products(*factors: torch.Tensor) -> int:
    """Return how many real products make one product of these factors."""
    return 2 ** sum(each.is_complex() for each in factors)


def stored(tensor: torch.Tensor) -> int:
    """Return how many elements take part in a product: stored ones of a sparse tensor."""
    if tensor.layout is torch.strided or tensor.layout is torch._mkldnn:  # type: ignore[attr-defined]
        return tensor.numel()
    return int(tensor._nnz())


def _between(left: torch.Tensor, right: torch.Tensor) -> int:
    """(…, n, k) x (…, k, m): each element of the left factor meets m columns of the right."""
    return stored(left) * int(right.shape[-1]) * real_products(left, right)


def matrix_product(left: int) -> Formula:
    """Multiply what stands at `left` of the arguments by what follows it."""

    def macs(args: Sequence[Any], out: Any) -> int:
        return _between(args[left], args[left + 1])

    return macs


def product_with_vector(left: int) -> Formula:
    """Multiply the matrix (or vector) at `left` of the arguments by the vector that follows it."""

    def macs(args: Sequence[Any], out: Any) -> int:
        return stored(args[left]) * real_products(args[left], args[left + 1])

    return macs


def listed_products(args: Sequence[Any], out: Any) -> int:
    """Multiply the matrices of one list by those of another."""
    return sum(_between(left, right) for left, right in zip(args[0], args[1], strict=True))


def sum_of_two_products(args: Sequence[Any], out: Any) -> int:
    """Return the MACs of a @ b + c @ d."""
    return _between(args[0], args[1]) + _between(args[2], args[3])


def product_at_given_places(args: Sequence[Any], out: Any) -> int:
    """Multiply whole rows by whole columns, for the stored places of a sparse matrix only."""
    return stored(args[0]) * int(args[1].shape[-1]) * real_products(args[1], args[2])


def rows_by_width(args: Sequence[Any], out: Any) -> int:
    """(…, k) -> (…, m) with the weight in any packing."""
    complex_factors = 4 if args[0].is_complex() else 1
    return int(args[0].numel()) * int(out.shape[-1]) * complex_factors


def outer_product(args: Sequence[Any], out: Any) -> int:
    """Multiply each element of one vector by each of another."""
    return int(out.numel()) * real_products(args[1], args[2])


def linear_backward(args: Sequence[Any], out: Any) -> int:
    """Return one product of the forward's size for the input's gradient, one for the weight's."""
    grad, weight, mask = args[1], args[2], args[3]
    return _between(grad, weight) * sum(bool(wanted) for wanted in mask[:2])


def one_linear_gradient(args: Sequence[Any], out: Any) -> int:
    """Return a product of the forward's size: (grad, weight) or (grad, input) stand last but options."""
    tensors = [each for each in args if isinstance(each, torch.Tensor)]
    grad, weight = tensors[0], tensors[-1]
    return int(grad.numel()) * int(weight.shape[-1])


def matmul_backward(args: Sequence[Any], out: Any) -> int:
    """Return a product of the forward's size for each gradient that is asked for."""
    grad, left, mask = args[0], args[1], args[3]
    return int(grad.numel()) * int(left.shape[-1]) * real_products(grad, left) * sum(map(bool, mask))


def attention(args: Sequence[Any], out: Any) -> int:
    """QK^T and AV for (batch, heads, length, width) tensors."""
    query, key, value = args[0], args[1], args[2]
    scores = math.prod(query.shape[:-1]) * int(key.shape[-2])
    return scores * (int(query.shape[-1]) + int(value.shape[-1]))


def attention_backward(args: Sequence[Any], out: Any) -> int:
    """Return five products of the scores' size: the scores again, and gradients of Q, K, V and the weights."""
    query, key, value = args[1], args[2], args[3]
    scores = math.prod(query.shape[:-1]) * int(key.shape[-2])
    return scores * (3 * int(query.shape[-1]) + 2 * int(value.shape[-1]))


def _attention_of(batch: int, queries: int, keys: int, width: int) -> int:
    """Return MACs of projections in and out and of both products, heads together `width` wide."""
    projections = 2 * queries * width * width + 2 * keys * width * width
    return batch * (projections + 2 * queries * keys * width)


def native_attention(args: Sequence[Any], out: Any) -> int:
    """Return the MACs of torch's fused multi-head attention."""
    query, key, width = args[0], args[1], int(args[3])
    return _attention_of(int(query.shape[0]), int(query.shape[1]), int(key.shape[1]), width)


def native_encoder_layer(args: Sequence[Any], out: Any) -> int:
    """Return the MACs of torch's fused transformer layer."""
    source, width = args[0], int(args[1])
    batch, length = int(source.shape[0]), int(source.shape[1])
    feed_forward = int(args[14].numel()) + int(args[16].numel())
    return _attention_of(batch, length, length, width) + batch * length * feed_forward


def recurrent_layer(args: Sequence[Any], out: Any) -> int:
    """One layer, one direction: each step and sample meets both weight matrices."""
    x, w_input, w_hidden = args[0], args[1], args[2]
    steps = int(x.shape[0]) * int(x.shape[1])
    return steps * (w_input.numel() + w_hidden.numel())


def packed_cell(args: Sequence[Any], out: Any) -> int:
    """One step of a quantised cell: each sample meets both packed weight matrices."""
    return math.prod(args[0].shape[:-1]) * packed_weights(args[2:4])


def packed_recurrent_layers(args: Sequence[Any], out: Any) -> int:
    """All layers and directions of a quantised LSTM or GRU: each step and sample meets all matrices."""
    places = (each for each in args if isinstance(each, (list, tuple)))
    packed = next(each for each in places if any(isinstance(part, torch.ScriptObject) for part in each))
    return math.prod(args[0].shape[:-1]) * packed_weights(packed)


def trilinear(args: Sequence[Any], out: Any) -> int:
    """Multiply three tensors over their common shape, after each gained the dimensions that it lacks."""
    factors = []
    for tensor, places in zip(args[:3], args[3:6], strict=True):
        shape = list(tensor.shape)
        for place in sorted(places):
            shape.insert(place, 1)
        factors.append(shape)
    return math.prod(torch.broadcast_shapes(*factors))


def pairwise_distance(args: Sequence[Any], out: Any) -> int:
    """(n, k) and (m, k) -> (n, m): one difference and product for each pair and each of k values."""
    return int(out.numel()) * int(args[0].shape[-1])


def pairwise_distance_backward(args: Sequence[Any], out: Any) -> int:
    """Return as many products as the distances took: each pair's gradient meets k values."""
    return int(args[0].numel()) * int(args[1].shape[-1])


def embedding_bag(args: Sequence[Any], out: Any) -> int:
    """Rows of the table are summed: one addition for each element looked up."""
    weight, indices = args[0], args[1]
    return int(indices.numel()) * int(weight.shape[-1])


def packed_embedding_bag(args: Sequence[Any], out: Any) -> int:
    """Return the additions of rows of a packed table, as wide as what comes out."""
    return int(args[1].numel()) * int(out.shape[-1])


def transform(a_product: int, side: Callable[[Sequence[Any], Any], torch.Tensor]) -> Formula:
    """n/2 log2 n complex products, each of so many real ones, for each transform of n values."""

    def macs(args: Sequence[Any], out: Any) -> int:
        tensor = side(args, out)
        length = math.prod([int(tensor.shape[dim]) for dim in args[1]])
        return round(a_product * tensor.numel() * math.log2(max(length, 1)) / 2)

    return macs


def given(args: Sequence[Any], out: Any) -> torch.Tensor:
    """Return what was transformed."""
    tensor: torch.Tensor = args[0]
    return tensor


def returned(args: Sequence[Any], out: Any) -> torch.Tensor:
    """Return what a transform answered."""
    tensor: torch.Tensor = out
    return tensor


def _distinct(tensor: torch.Tensor) -> int:
    """Return how many elements a tensor holds, those once that `expand` repeats."""
    if tensor.layout is not torch.strided:
        return tensor.numel()
    return math.prod(size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride)


def grown_product(args: Sequence[Any], out: Any) -> int:
    """Count a product that is larger than both factors: "multiply, then sum" is a matrix product."""
    factors = [each for each in args[:3] if isinstance(each, torch.Tensor)]
    if len(factors) < 2 or not isinstance(out, torch.Tensor):
        return 0
    grown = out.numel() > max(map(_distinct, factors))
    return int(out.numel()) * real_products(*factors[-2:]) if grown else 0
