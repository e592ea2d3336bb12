"""Operators that only scripts and traces name, in terms of those that a graph may hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

CONVOLUTION_ARGUMENTS: Final = 9
"""What `_convolution` is given beyond these says how to compute, not what."""
_BY_DIMENSIONS: Final = {3: functional.conv1d, 4: functional.conv2d, 5: functional.conv3d}


def _convolution(*given: Any) -> Tensor:
    found: Tensor = torch.ops.aten.convolution.default(*given[:CONVOLUTION_ARGUMENTS])
    return found


def _padded_convolution(images: Tensor, *given: Any) -> Tensor:
    """Convolve with a padding that is named, as "same"."""
    return _BY_DIMENSIONS[images.dim()](images, *given)


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    width: int,
    heads: int,
    weight: Tensor,
    bias: Tensor,
    out_weight: Tensor,
    out_bias: Tensor,
    mask: Tensor | None = None,
    need_weights: bool = True,
    average: bool = True,
    mask_type: int | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Spell out `nn.MultiheadAttention`, which runs as one operator where nothing is trained."""
    if mask is not None:
        raise NotImplementedError("attention with a mask, as one operator")
    parts = zip((query, key, value), weight.chunk(3), bias.chunk(3), strict=True)
    queries, keys, values = (
        functional.linear(given, *weights).unflatten(2, (heads, width // heads)).transpose(1, 2)
        for given, *weights in parts
    )
    scores = (queries * (width // heads) ** -0.5 @ keys.mT).softmax(-1)
    answer = functional.linear((scores @ values).transpose(1, 2).flatten(2), out_weight, out_bias)
    weights = scores.mean(1) if average else scores
    return answer, weights if need_weights else None


def _encoder_layer(
    source: Tensor,
    width: int,
    heads: int,
    weight: Tensor,
    bias: Tensor,
    out_weight: Tensor,
    out_bias: Tensor,
    is_gelu: bool,
    norm_first: bool,
    epsilon: float,
    *others: Any,
) -> Tensor:
    """Spell out `nn.TransformerEncoderLayer`, likewise; `others` are norms, the perceptron, and a mask."""
    first, second, inner, outer = (others[place : place + 2] for place in (0, 2, 4, 6))
    mask = others[8] if len(others) > 8 else None

    def attend(x: Tensor) -> Tensor:
        return _attention(
            x, x, x, width, heads, weight, bias, out_weight, out_bias, mask, need_weights=False
        )[0]

    def perceive(x: Tensor) -> Tensor:
        hidden = functional.linear(x, *inner)
        return functional.linear(functional.gelu(hidden) if is_gelu else functional.relu(hidden), *outer)

    def norm(x: Tensor, weights: Any) -> Tensor:
        factor, offset = weights
        return functional.layer_norm(x, (width,), factor, offset, epsilon)

    if norm_first:
        met = source + attend(norm(source, first))
        return met + perceive(norm(met, second))
    met = norm(source + attend(source), first)
    return norm(met + perceive(met), second)


PARTS: Final[Mapping[str, Callable[..., Any]]] = {
    "aten::_convolution": _convolution,
    "aten::_convolution_mode": _padded_convolution,
    "aten::_native_multi_head_attention": _attention,
    "aten::_transformer_encoder_layer_fwd": _encoder_layer,
}
