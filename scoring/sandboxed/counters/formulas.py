"""MACs of each operator that multiplies, from the shapes of what it was given and returned."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import torch

# What an operator was called with and what it returned; torch gives these no narrower type.
Formula = Callable[[Sequence[Any], Any], int]


def _elements(shape: Sequence[int]) -> int:
    return math.prod(shape)


def _dense(tensor: torch.Tensor) -> int:
    """Return how many elements take part in a product: stored ones of a sparse tensor."""
    if tensor.layout is torch.strided or tensor.layout is torch._mkldnn:  # type: ignore[attr-defined]
        return tensor.numel()
    return int(tensor._nnz())


def _product(left: int) -> Formula:
    """(…, n, k) x (…, k, m): each element of the left factor meets m columns of the right."""

    def macs(args: Sequence[Any], out: Any) -> int:
        return _dense(args[left]) * int(args[left + 1].shape[-1])

    return macs


def _product_with_vector(left: int) -> Formula:
    def macs(args: Sequence[Any], out: Any) -> int:
        return _dense(args[left])

    return macs


def _rows_by_width(args: Sequence[Any], out: Any) -> int:
    """(…, k) -> (…, m) with the weight in any packing."""
    return int(args[0].numel()) * int(out.shape[-1])


def _output_elements(args: Sequence[Any], out: Any) -> int:
    return int(out.numel())


def _convolution_of(x: torch.Tensor, weight: torch.Tensor, out: torch.Tensor, *, transposed: bool) -> int:
    """Each output position (input position if transposed) meets one filter of weight[0]'s size."""
    positions = x if transposed else out
    return positions.numel() * _elements(weight.shape[1:])


def _convolution(args: Sequence[Any], out: Any) -> int:
    transposed = len(args) > 6 and bool(args[6])
    return _convolution_of(args[0], args[1], out, transposed=transposed)


def _plain_convolution(args: Sequence[Any], out: Any) -> int:
    return _convolution_of(args[0], args[1], out, transposed=False)


def _slow_transposed_convolution(args: Sequence[Any], out: Any) -> int:
    return _convolution_of(args[0], args[1], out, transposed=True)


def _convolution_backward(args: Sequence[Any], out: Any) -> int:
    grad, x, weight, transposed, mask = args[0], args[1], args[2], args[7], args[10]
    once = _convolution_of(x, weight, grad, transposed=transposed)
    return once * sum(bool(wanted) for wanted in mask[:2])


def _packed_convolution(place: int, *, transposed: bool = False) -> Formula:
    """Unpack the filters that stand at `place` of what the operator was called with."""

    def macs(args: Sequence[Any], out: Any) -> int:
        weight = args[place].unpack()[0]
        return _convolution_of(args[0], weight, out, transposed=transposed)

    return macs


def _prepacked_convolution(args: Sequence[Any], out: Any) -> int:
    return _convolution_of(args[0], args[3], out, transposed=False)


def _convolution_over_time(args: Sequence[Any], out: Any) -> int:
    """(time, batch, channels) with filters (kernel, channels, filters)."""
    kernel, channels, _ = args[1].shape
    return int(out.numel()) * int(kernel) * int(channels)


def _products(args: Sequence[Any], out: Any) -> int:
    return sum(_dense(left) * int(right.shape[-1]) for left, right in zip(args[0], args[1], strict=True))


def _attention(args: Sequence[Any], out: Any) -> int:
    """QK^T and AV for (batch, heads, length, width) tensors."""
    query, key, value = args[0], args[1], args[2]
    scores = _elements(query.shape[:-1]) * int(key.shape[-2])
    return scores * (int(query.shape[-1]) + int(value.shape[-1]))


def _attention_of(batch: int, queries: int, keys: int, width: int) -> int:
    """Return MACs of projections in and out and of both products, heads together `width` wide."""
    projections = 2 * queries * width * width + 2 * keys * width * width
    return batch * (projections + 2 * queries * keys * width)


def _native_attention(args: Sequence[Any], out: Any) -> int:
    query, key, width = args[0], args[1], int(args[3])
    return _attention_of(int(query.shape[0]), int(query.shape[1]), int(key.shape[1]), width)


def _native_encoder_layer(args: Sequence[Any], out: Any) -> int:
    source, width = args[0], int(args[1])
    batch, length = int(source.shape[0]), int(source.shape[1])
    feed_forward = int(args[14].numel()) + int(args[16].numel())
    return _attention_of(batch, length, length, width) + batch * length * feed_forward


def _recurrent(args: Sequence[Any], out: Any) -> int:
    """One layer, one direction: each step and sample meets both weight matrices."""
    x, w_input, w_hidden = args[0], args[1], args[2]
    steps = int(x.shape[0]) * int(x.shape[1])
    return steps * (w_input.numel() + w_hidden.numel())


def _trilinear(args: Sequence[Any], out: Any) -> int:
    factors = []
    for tensor, places in zip(args[:3], args[3:6], strict=True):
        shape = list(tensor.shape)
        for place in sorted(places):
            shape.insert(place, 1)
        factors.append(shape)
    return _elements(torch.broadcast_shapes(*factors))


def _pairwise_distance(args: Sequence[Any], out: Any) -> int:
    return int(out.numel()) * int(args[0].shape[-1])


def _embedding_bag(args: Sequence[Any], out: Any) -> int:
    """Rows of the table are summed: one addition for each element looked up."""
    weight, indices = args[0], args[1]
    return int(indices.numel()) * int(weight.shape[-1])


def _transform(real_products: int, side: Callable[[Sequence[Any], Any], torch.Tensor]) -> Formula:
    """n/2 log2 n complex products of 4 real ones for each transform of n complex values."""

    def macs(args: Sequence[Any], out: Any) -> int:
        tensor = side(args, out)
        length = _elements([int(tensor.shape[dim]) for dim in args[1]])
        return round(real_products * tensor.numel() * math.log2(max(length, 1)) / 2)

    return macs


def _given(args: Sequence[Any], out: Any) -> torch.Tensor:
    tensor: torch.Tensor = args[0]
    return tensor


def _returned(args: Sequence[Any], out: Any) -> torch.Tensor:
    tensor: torch.Tensor = out
    return tensor


def _distinct(tensor: torch.Tensor) -> int:
    """Return how many elements a tensor holds, those once that `expand` repeats."""
    if tensor.layout is not torch.strided:
        return tensor.numel()
    return _elements([size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride])


def _outer_product(args: Sequence[Any], out: Any) -> int:
    """Count a product that is larger than both factors: "multiply, then sum" is a matrix product."""
    factors = [_distinct(each) for each in args[:3] if isinstance(each, torch.Tensor)]
    grown = len(factors) > 1 and isinstance(out, torch.Tensor) and out.numel() > max(factors)
    return int(out.numel()) if grown else 0


# Read-only, so that an entry that imports this module cannot empty the table.
FORMULAS: Final[Mapping[str, Formula]] = MappingProxyType(
    {
        "aten::mm": _product(0),
        "aten::bmm": _product(0),
        "aten::_int_mm": _product(0),
        "aten::_scaled_mm": _product(0),
        "aten::_sparse_mm": _product(0),
        "aten::_grouped_mm": _product(0),
        "aten::_foreach_mm": _products,
        "quantized::matmul": _product(0),
        "aten::addmm": _product(1),
        "aten::addmm_": _product(1),
        "aten::addbmm": _product(1),
        "aten::addbmm_": _product(1),
        "aten::baddbmm": _product(1),
        "aten::baddbmm_": _product(1),
        "aten::_addmm_activation": _product(1),
        "aten::_sparse_addmm": _product(1),
        "aten::mv": _product_with_vector(0),
        "aten::dot": _product_with_vector(0),
        "aten::vdot": _product_with_vector(0),
        "aten::addmv": _product_with_vector(1),
        "aten::addmv_": _product_with_vector(1),
        "aten::addr": _output_elements,
        "aten::addr_": _output_elements,
        "aten::linear": _rows_by_width,
        "aten::mkldnn_linear": _rows_by_width,
        "mkldnn::_linear_pointwise": _rows_by_width,
        "aten::_weight_int8pack_mm": _rows_by_width,
        "aten::_weight_int4pack_mm": _rows_by_width,
        "aten::_weight_int4pack_mm_for_cpu": _rows_by_width,
        "aten::_dyn_quant_matmul_4bit": _rows_by_width,
        "quantized::linear": _rows_by_width,
        "quantized::linear_relu": _rows_by_width,
        "quantized::linear_dynamic": _rows_by_width,
        "quantized::linear_relu_dynamic": _rows_by_width,
        "quantized::linear_dynamic_fp16": _rows_by_width,
        "quantized::linear_relu_dynamic_fp16": _rows_by_width,
        "quantized::linear_dynamic_fp16_unpacked_weight": _rows_by_width,
        "quantized::linear_leaky_relu": _rows_by_width,
        "quantized::linear_tanh": _rows_by_width,
        "onednn::qlinear_pointwise": _rows_by_width,
        "onednn::linear_dynamic_fp16": _rows_by_width,
        "onednn::linear_relu_dynamic_fp16": _rows_by_width,
        "aten::convolution": _convolution,
        "aten::convolution_overrideable": _convolution,
        "aten::_convolution": _convolution,
        "aten::convolution_backward": _convolution_backward,
        "aten::mkldnn_convolution": _plain_convolution,
        "aten::_slow_conv2d_forward": _plain_convolution,
        "aten::thnn_conv2d": _plain_convolution,
        "aten::slow_conv3d": _plain_convolution,
        "aten::slow_conv3d_forward": _plain_convolution,
        "aten::slow_conv_dilated2d": _plain_convolution,
        "aten::slow_conv_dilated3d": _plain_convolution,
        "aten::_conv_depthwise2d": _plain_convolution,
        "aten::conv_depthwise3d": _plain_convolution,
        "aten::slow_conv_transpose2d": _slow_transposed_convolution,
        "aten::slow_conv_transpose3d": _slow_transposed_convolution,
        "mkldnn::_convolution_pointwise": _plain_convolution,
        "torchvision::deform_conv2d": _plain_convolution,
        "quantized::conv1d": _packed_convolution(1),
        "quantized::conv1d_relu": _packed_convolution(1),
        "quantized::conv2d": _packed_convolution(1),
        "quantized::conv2d_relu": _packed_convolution(1),
        "quantized::conv3d": _packed_convolution(1),
        "quantized::conv3d_relu": _packed_convolution(1),
        "quantized::conv2d_add": _packed_convolution(2),
        "quantized::conv2d_add_relu": _packed_convolution(2),
        "quantized::conv1d_dynamic": _packed_convolution(1),
        "quantized::conv2d_dynamic": _packed_convolution(1),
        "quantized::conv3d_dynamic": _packed_convolution(1),
        "quantized::conv_transpose1d": _packed_convolution(1, transposed=True),
        "quantized::conv_transpose2d": _packed_convolution(1, transposed=True),
        "quantized::conv_transpose3d": _packed_convolution(1, transposed=True),
        "onednn::qconv_pointwise": _prepacked_convolution,
        "onednn::qconv1d_pointwise": _prepacked_convolution,
        "onednn::qconv2d_pointwise": _prepacked_convolution,
        "onednn::qconv3d_pointwise": _prepacked_convolution,
        "mkldnn::_convolution_transpose_pointwise": _slow_transposed_convolution,
        "aten::conv_tbc": _convolution_over_time,
        "aten::_scaled_dot_product_flash_attention": _attention,
        "aten::_scaled_dot_product_flash_attention_for_cpu": _attention,
        "aten::_scaled_dot_product_efficient_attention": _attention,
        "aten::_scaled_dot_product_fused_attention_overrideable": _attention,
        "aten::_native_multi_head_attention": _native_attention,
        "aten::_transformer_encoder_layer_fwd": _native_encoder_layer,
        "aten::mkldnn_rnn_layer": _recurrent,
        "aten::_trilinear": _trilinear,
        "aten::_cdist_forward": _pairwise_distance,
        "aten::_euclidean_dist": _pairwise_distance,
        "aten::_pdist_forward": _pairwise_distance,
        "aten::_embedding_bag": _embedding_bag,
        "aten::_embedding_bag_forward_only": _embedding_bag,
        "aten::_fft_c2c": _transform(4, _given),
        "aten::_fft_r2c": _transform(2, _given),
        "aten::_fft_c2r": _transform(2, _returned),
        "aten::mul": _outer_product,
        "aten::div": _outer_product,
        "aten::addcmul": _outer_product,
    }
)
