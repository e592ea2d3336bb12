"""MACs of convolutions: each output position meets one filter.

torch computes a convolution of complex numbers as three real ones, which is what is counted then;
a complex one that reaches the counter whole counts four times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from scoring.sandboxed.counters.products import Formula, real_products


def _of(x: torch.Tensor, weight: torch.Tensor, out: torch.Tensor, *, transposed: bool) -> int:
    """Each output position (input position if transposed) meets one filter of weight[0]'s size."""
    positions = x if transposed else out
    return positions.numel() * math.prod(weight.shape[1:]) * real_products(x, weight)


def convolution(args: Sequence[Any], out: Any) -> int:
    """Read from the arguments whether the convolution is transposed."""
    transposed = len(args) > 6 and bool(args[6])
    return _of(args[0], args[1], out, transposed=transposed)


def plain_convolution(args: Sequence[Any], out: Any) -> int:
    """Return the MACs of a convolution that is not transposed."""
    return _of(args[0], args[1], out, transposed=False)


def convolution_into_another(args: Sequence[Any], out: Any) -> int:
    """Return the MACs of a convolution that is added to the tensor standing before its input."""
    return _of(args[1], args[2], out, transposed=False)


def transposed_convolution(args: Sequence[Any], out: Any) -> int:
    """Return the MACs of a transposed convolution."""
    return _of(args[0], args[1], out, transposed=True)


def convolution_backward(args: Sequence[Any], out: Any) -> int:
    """Return the forward's MACs for each of the two gradients that is asked for."""
    grad, x, weight, transposed, mask = args[0], args[1], args[2], args[7], args[10]
    once = _of(x, weight, grad, transposed=transposed)
    return once * sum(bool(wanted) for wanted in mask[:2])


def packed_convolution(place: int, *, transposed: bool = False) -> Formula:
    """Unpack the filters that stand at `place` of what the operator was called with."""

    def macs(args: Sequence[Any], out: Any) -> int:
        weight = args[place].unpack()[0]
        return _of(args[0], weight, out, transposed=transposed)

    return macs


def prepacked_convolution(args: Sequence[Any], out: Any) -> int:
    """Return the MACs of a convolution with its filters behind two numbers on the input."""
    return _of(args[0], args[3], out, transposed=False)


def convolution_over_time(args: Sequence[Any], out: Any) -> int:
    """(time, batch, channels) with filters (kernel, channels, filters)."""
    kernel, channels, _ = args[1].shape
    return int(out.numel()) * int(kernel) * int(channels)
