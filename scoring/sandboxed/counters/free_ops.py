"""Operators that cost no MACs: views, elementwise, reductions, normalisation, pooling, creation.

Operators that torch itself tags as elementwise or reducing, or calls views, are free by rule;
this table names the rest. An operator found neither here nor there nor among the formulas is
reported by name.
"""

from __future__ import annotations

from typing import Final

import torch

# Names that torch came with. An entry may declare "aten::cheap" with torch's own tags and do its
# products inside; read before the entry runs, this set leaves such a name uncounted and reported.
_BUILT_IN: Final = frozenset(torch._C._dispatch_get_all_op_names())
_FREE_TAGS: Final = frozenset({torch.Tag.pointwise, torch.Tag.reduction, torch.Tag.inplace_view})
_FREE_NAMESPACES: Final = ("aten::", "prims::")

_CREATION = """
empty empty_like empty_strided empty_permuted new_empty new_empty_strided full full_like new_full zeros
zeros_like new_zeros ones ones_like new_ones arange linspace logspace eye scalar_tensor tril_indices
triu_indices range _efficientzerotensor complex polar rand rand_like randn randn_like randint
randint_like randperm bernoulli bernoulli_ normal normal_ uniform_ random random_ exponential_
multinomial poisson native_dropout dropout geometric_ cauchy_ log_normal_ _empty_affine_quantized
_empty_per_channel_affine_quantized empty_quantized _make_per_channel_quantized_tensor binomial
bartlett_window blackman_window hamming_window hann_window kaiser_window fft_fftfreq fft_rfftfreq
_standard_gamma _sample_dirichlet exponential uniform log_normal geometric cauchy
_new_zeros_with_same_feature_meta
"""
_MOVEMENT = """
clone copy copy_ _to_copy _copy_from contiguous lift lift_fresh lift_fresh_copy detach detach_ alias
set_ resize_ resize_as_ _reshape_alias _unsafe_view view reshape cat stack hstack vstack unbind split
split_with_sizes chunk roll flip rot90 repeat repeat_interleave tile constant_pad_nd reflection_pad1d
reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d pad
pixel_shuffle pixel_unshuffle channel_shuffle im2col col2im unfold gather scatter scatter_ scatter_add
scatter_add_ scatter_reduce scatter_reduce_ index index_select index_put index_put_ _index_put_impl_
_unsafe_index _unsafe_index_put index_add index_add_ index_copy index_copy_ index_fill index_fill_
index_reduce take put put_ masked_fill masked_fill_ masked_scatter masked_scatter_ masked_select nonzero
where embedding slice_scatter select_scatter diagonal_scatter diag_embed diag tril tril_ triu triu_
block_diag fill fill_ fill_diagonal_ zero zero_ to_mkldnn _mkldnn_reshape _mkldnn_transpose to_dense
_to_dense to_sparse _to_sparse _to_sparse_csr mkldnn_reorder_conv2d_weight _local_scalar_dense item
equal is_nonzero _nnz _indices _values coalesce _coalesce _sparse_coo_tensor_with_dims_and_tensors
_sparse_csr_tensor_unsafe _sparse_coo_tensor_unsafe _nested_tensor_from_mask _conj _neg_view
view_as_real view_as_complex conj_physical _pack_padded_sequence _pad_packed_sequence _coalesced_
_convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo _lazy_clone _pin_memory
_resize_output_ _spdiags _stack _chunk_cat as_strided_scatter dense_dim embedding_renorm
embedding_renorm_ index_reduce_ is_coalesced is_pinned is_same_size nonzero_static resize resize_as set
unsafe_split unsafe_split_with_sizes to_padded_tensor _unsafe_masked_index
_unsafe_masked_index_put_accumulate _jagged_to_padded_dense_forward _padded_dense_to_jagged_forward
_mkldnn_transpose_ mkldnn_reorder_conv3d_weight _convert_weight_to_int4pack
_convert_weight_to_int4pack_for_cpu _dyn_quant_pack_4bit_weight
"""
_REDUCTION = """
sum mean amax amin max min argmax argmin aminmax prod all any var std var_mean std_mean logsumexp norm
linalg_vector_norm nansum median nanmedian mode kthvalue topk sort argsort msort _unique _unique2
unique_dim unique_consecutive bincount histc histogram searchsorted bucketize count_nonzero isin
allclose trace cumsum cumsum_ cumprod cumprod_ cummax cummin _cummax_helper _cummin_helper logcumsumexp
_logcumsumexp _aminmax _is_all_true _is_any_true dist hash_tensor segment_reduce unique_dim_consecutive
_histogramdd_bin_edges _histogramdd_from_bin_cts _histogramdd_from_bin_tensors native_norm
"""
_LAYERS = """
native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
_native_batch_norm_legit_functional _batch_norm_with_update _batch_norm_no_update batch_norm
cudnn_batch_norm native_layer_norm native_group_norm _fused_rms_norm instance_norm renorm _softmax
_log_softmax _safe_softmax softmax log_softmax _masked_softmax glu gelu hardtanh hardtanh_ prelu
_prelu_kernel rrelu rrelu_with_noise log_sigmoid_forward threshold mkldnn_max_pool2d avg_pool1d
avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d max_pool2d_with_indices max_pool3d_with_indices
max_unpool2d max_unpool3d adaptive_avg_pool1d _adaptive_avg_pool2d _adaptive_avg_pool3d
adaptive_avg_pool2d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d
mkldnn_adaptive_avg_pool2d upsample_nearest1d upsample_nearest2d upsample_nearest3d
_upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d upsample_linear1d
upsample_bilinear2d _upsample_bilinear2d_aa upsample_trilinear3d upsample_bicubic2d
_upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d affine_grid_generator _thnn_fused_lstm_cell
_thnn_fused_gru_cell nll_loss_forward nll_loss2d_forward mse_loss l1_loss smooth_l1_loss huber_loss
binary_cross_entropy native_channel_shuffle quantize_per_tensor quantize_per_tensor_dynamic
quantize_per_channel dequantize int_repr _fake_quantize_learnable_per_tensor_affine
fake_quantize_per_tensor_affine_cachemask _make_per_tensor_quantized_tensor choose_qparams_optimized
_add_relu _add_relu_ abs_ eq_ ge_ gt_ le_ lt_ ne_ gelu_ hardswish hardswish_ heaviside_ xlogy_ mish_
renorm_ rsub floor_divide floor_divide_ threshold_ gcd_ lcm_ rrelu_with_noise_ fractional_max_pool3d
mkldnn_max_pool3d quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d quantized_batch_norm
_weight_norm_interface _upsample_lanczos2d_aa _transform_bias_rescale_qkv batch_norm_elemt
batch_norm_stats batch_norm_update_stats fake_quantize_per_channel_affine_cachemask
binary_cross_entropy_with_logits soft_margin_loss multi_margin_loss multilabel_margin_loss_forward
_functional_assert_async
"""
_FREE_ATEN: Final = frozenset(
    f"aten::{name}" for table in (_CREATION, _MOVEMENT, _REDUCTION, _LAYERS) for name in table.split()
)
# Same kinds of work on quantised tensors.
_QUANTIZED = """
add add_relu add_scalar mul mul_scalar cat batch_norm2d batch_norm2d_relu hardswish sigmoid leaky_relu prelu
max_pool2d layer_norm group_norm instance_norm softmax relu6
linear_prepack conv1d_prepack conv2d_prepack conv3d_prepack conv_transpose1d_prepack conv_transpose2d_prepack
conv_transpose3d_prepack
"""
_FREE_QUANTIZED: Final = frozenset(f"quantized::{name}" for name in _QUANTIZED.split())


def is_free(operator: torch._ops.OpOverload) -> bool:
    """Say whether the operator is known to multiply nothing that counts."""
    name = operator._schema.name
    if name in _FREE_ATEN or name in _FREE_QUANTIZED:
        return True
    if not name.startswith(_FREE_NAMESPACES) or operator.name() not in _BUILT_IN:
        return False
    return bool(operator.is_view) or not _FREE_TAGS.isdisjoint(operator.tags)
