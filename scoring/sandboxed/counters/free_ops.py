"""Operators that multiply nothing that counts by itself: those that move values, and those that work on each one.

Operators that torch itself tags as elementwise or reducing, or calls views, belong here by rule,
and so do gradients; tables name the rest. An operator found neither here nor among the formulas
is reported by name.

What moves or makes values is free for good. Work on each value (activations, normalisation,
pooling, sums) is free up to a share of the products, see `dispatch`: with copies that are large
enough, "multiply, then sum" is a matrix product, and so are sums of squares and of logarithms.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Final

import torch

# Names that torch came with. An entry may declare "aten::cheap" with torch's own tags and do its
# products inside; read before the entry runs, this set leaves such a name uncounted and reported.
_BUILT_IN: Final = frozenset(torch._C._dispatch_get_all_op_names())
_WORK_TAGS: Final = frozenset({torch.Tag.pointwise, torch.Tag.reduction})
_WORK_NAMESPACES: Final = ("aten::", "prims::")


class Free(Enum):
    """What an operator without products does."""

    MOVES = "moves or makes values"
    WORKS = "works on each value"


_CREATION = """
empty empty_like empty_strided empty_permuted new_empty new_empty_strided full full_like new_full zeros
zeros_like new_zeros ones ones_like new_ones arange linspace logspace eye scalar_tensor tril_indices
triu_indices range _efficientzerotensor complex rand rand_like randn randn_like randint randint_like
randperm bernoulli bernoulli_ normal normal_ uniform_ random random_ exponential_ multinomial poisson
native_dropout dropout geometric_ cauchy_ log_normal_ _empty_affine_quantized
_empty_per_channel_affine_quantized empty_quantized _make_per_channel_quantized_tensor binomial
bartlett_window blackman_window hamming_window hann_window kaiser_window fft_fftfreq fft_rfftfreq
_standard_gamma _sample_dirichlet exponential uniform log_normal geometric cauchy
_new_zeros_with_same_feature_meta sparse_coo_tensor sparse_compressed_tensor _sparse_coo_tensor_with_dims
_sparse_compressed_tensor_with_dims _fused_dropout normal_functional _philox_key_fold_in _philox_key_split
_philox_normal _philox_normal_ _philox_uniform _philox_uniform_ _cudnn_init_dropout_state
_fill_mem_eff_dropout_mask_
"""
_MOVEMENT = """
clone copy copy_ _to_copy _copy_from contiguous lift lift_fresh lift_fresh_copy detach detach_ alias set_
resize_ resize_as_ _reshape_alias _unsafe_view view reshape cat stack hstack vstack unbind split
split_with_sizes chunk roll flip rot90 repeat repeat_interleave tile constant_pad_nd reflection_pad1d
reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d pad pixel_shuffle
pixel_unshuffle channel_shuffle im2col unfold gather index index_select _unsafe_index index_copy index_copy_
index_fill index_fill_ take masked_fill masked_fill_ masked_scatter masked_scatter_ masked_select nonzero
where embedding slice_scatter select_scatter diagonal_scatter diag_embed diag tril tril_ triu triu_
block_diag fill fill_ fill_diagonal_ zero zero_ to_mkldnn _mkldnn_reshape _mkldnn_transpose to_dense
_to_dense to_sparse _to_sparse _to_sparse_csr mkldnn_reorder_conv2d_weight _local_scalar_dense item equal
is_nonzero _nnz _indices _values _sparse_coo_tensor_with_dims_and_tensors _sparse_csr_tensor_unsafe
_sparse_coo_tensor_unsafe _nested_tensor_from_mask _conj _neg_view view_as_real view_as_complex
conj_physical _pack_padded_sequence _pad_packed_sequence _convert_indices_from_coo_to_csr
_convert_indices_from_csr_to_coo _lazy_clone _pin_memory _resize_output_ _spdiags _stack _chunk_cat
as_strided_scatter dense_dim embedding_renorm embedding_renorm_ is_coalesced _coalesced _coalesced_
is_pinned is_same_size nonzero_static resize resize_as set unsafe_split unsafe_split_with_sizes
to_padded_tensor _unsafe_masked_index _jagged_to_padded_dense_forward _padded_dense_to_jagged_forward
_mkldnn_transpose_ mkldnn_reorder_conv3d_weight _convert_weight_to_int4pack
_convert_weight_to_int4pack_for_cpu _dyn_quant_pack_4bit_weight lu_unpack q_scale q_zero_point qscheme
q_per_channel_axis q_per_channel_scales q_per_channel_zero_points is_set_to record_stream promote_types
_dimI _dimV sparse_dim sparse_mask _sparse_mask_projection copy_sparse_to_sparse copy_sparse_to_sparse_
resize_as_sparse resize_as_sparse_ sparse_resize sparse_resize_ sparse_resize_and_clear
sparse_resize_and_clear_ _sparse_broadcast_to _to_sparse_bsc _to_sparse_bsr _to_sparse_csc
_validate_compressed_sparse_indices _nested_tensor_from_tensor_list _nested_tensor_from_mask_left_aligned
_nested_from_padded _nested_from_padded_tensor _nested_from_padded_and_nested_example _nested_tensor_size
_nested_tensor_strides _nested_tensor_storage_offsets _nested_compute_contiguous_strides_offsets
_nested_get_jagged_dummy _nested_get_lengths _nested_get_max_seqlen _nested_get_min_seqlen
_nested_get_offsets _nested_get_ragged_idx _assert_async _assert_scalar _assert_tensor_metadata
_functional_assert_async _functional_assert_scalar _functional_sym_constrain_range
_functional_sym_constrain_range_for_size sym_constrain_range sym_constrain_range_for_size _print
_make_dep_token _has_same_storage_numel _linalg_check_errors _copy_from_and_resize _resize_output
_use_cudnn_ctc_loss _use_miopen_ctc_loss _fused_sdp_choice _foreach_clone _foreach_copy _foreach_copy_
_foreach_zero _foreach_zero_
"""
_REDUCTION = """
sum mean amax amin max min argmax argmin aminmax prod all any var std var_mean std_mean logsumexp norm
linalg_vector_norm nansum median nanmedian mode kthvalue topk sort argsort msort _unique _unique2 unique_dim
unique_consecutive bincount histc histogram searchsorted bucketize count_nonzero isin allclose trace cumsum
cumsum_ cumprod cumprod_ cummax cummin _cummax_helper _cummin_helper logcumsumexp _logcumsumexp _aminmax
_is_all_true _is_any_true dist hash_tensor segment_reduce unique_dim_consecutive scatter_reduce
scatter_reduce_ index_reduce index_reduce_ _histogramdd_bin_edges _histogramdd_from_bin_cts
_histogramdd_from_bin_tensors native_norm scatter scatter_ scatter_add scatter_add_ index_add index_add_ put
put_ index_put index_put_ _index_put_impl _index_put_impl_ _unsafe_index_put
_unsafe_masked_index_put_accumulate coalesce _coalesce col2im
"""
_LAYERS = """
native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
_native_batch_norm_legit_functional _batch_norm_with_update _batch_norm_no_update batch_norm
cudnn_batch_norm native_layer_norm native_group_norm _fused_rms_norm instance_norm renorm _softmax
_log_softmax _safe_softmax softmax log_softmax _masked_softmax glu gelu hardtanh hardtanh_ prelu
_prelu_kernel rrelu rrelu_with_noise log_sigmoid_forward threshold mkldnn_max_pool2d avg_pool1d avg_pool2d
avg_pool3d max_pool1d max_pool2d max_pool3d max_pool2d_with_indices max_pool3d_with_indices max_unpool2d
max_unpool3d adaptive_avg_pool1d _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool2d
adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d mkldnn_adaptive_avg_pool2d
upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
_upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d _upsample_bilinear2d_aa upsample_trilinear3d
upsample_bicubic2d _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d affine_grid_generator
_thnn_fused_lstm_cell _thnn_fused_gru_cell nll_loss_forward nll_loss2d_forward mse_loss l1_loss
smooth_l1_loss huber_loss binary_cross_entropy native_channel_shuffle quantize_per_tensor
quantize_per_tensor_dynamic quantize_per_channel dequantize int_repr
_fake_quantize_learnable_per_tensor_affine fake_quantize_per_tensor_affine_cachemask
_make_per_tensor_quantized_tensor choose_qparams_optimized _add_relu _add_relu_ abs_ eq_ ge_ gt_ le_ lt_ ne_
gelu_ hardswish hardswish_ heaviside_ xlogy_ mish_ renorm_ rsub floor_divide floor_divide_ threshold_ gcd_
lcm_ rrelu_with_noise_ fractional_max_pool3d mkldnn_max_pool3d quantized_max_pool1d quantized_max_pool2d
quantized_max_pool3d quantized_batch_norm _weight_norm_interface _upsample_lanczos2d_aa
_transform_bias_rescale_qkv batch_norm_elemt batch_norm_stats batch_norm_update_stats
fake_quantize_per_channel_affine_cachemask binary_cross_entropy_with_logits soft_margin_loss
multi_margin_loss multilabel_margin_loss_forward copysign_ __irshift__ polar _masked_scale
batch_norm_gather_stats batch_norm_gather_stats_with_counts _batch_norm_with_update_functional _ctc_loss
_compute_linear_combination linalg_cross glu_jvp adaptive_avg_pool3d rrelu_with_noise_functional
_sparse_softmax _sparse_log_softmax _sparse_sum _sparse_csr_sum _sparse_csr_prod
_nested_tensor_softmax_with_shape _grid_sampler_2d_cpu_fallback _dirichlet_grad _standard_gamma_grad
_fake_quantize_learnable_per_channel_affine _fake_quantize_per_tensor_affine_cachemask_tensor_qparams
_fused_moving_avg_obs_fq_helper _fused_moving_avg_obs_fq_helper_functional _amp_update_scale
_amp_update_scale_ _amp_foreach_non_finite_check_and_unscale _amp_foreach_non_finite_check_and_unscale_
_fused_adagrad _fused_adagrad_ _fused_adam _fused_adam_ _fused_adamw _fused_adamw_ _fused_sgd _fused_sgd_
"""
_GRADIENTS = """
_adaptive_avg_pool2d_backward _adaptive_avg_pool3d_backward _ctc_loss_backward
_fake_quantize_learnable_per_channel_affine_backward _fake_quantize_learnable_per_tensor_affine_backward
_fused_rms_norm_backward _grid_sampler_2d_cpu_fallback_backward _log_softmax_backward_data
_masked_softmax_backward _nested_select_backward _nested_sum_backward _prelu_kernel_backward
_segment_reduce_backward _softmax_backward_data _sparse_log_softmax_backward_data
_sparse_softmax_backward_data _sparse_sum_backward _thnn_fused_gru_cell_backward
_thnn_fused_lstm_cell_backward_impl _upsample_bicubic2d_aa_backward _upsample_bilinear2d_aa_backward
_upsample_lanczos2d_aa_backward _upsample_nearest_exact1d_backward _upsample_nearest_exact2d_backward
_upsample_nearest_exact3d_backward _weight_norm_interface_backward adaptive_avg_pool3d_backward
adaptive_max_pool2d_backward adaptive_max_pool3d_backward avg_pool2d_backward avg_pool3d_backward
batch_norm_backward batch_norm_backward_elemt batch_norm_backward_reduce binary_cross_entropy_backward
diagonal_backward elu_backward embedding_dense_backward fractional_max_pool2d_backward
fractional_max_pool3d_backward gelu_backward glu_backward glu_backward_jvp grid_sampler_2d_backward
grid_sampler_3d_backward hardshrink_backward hardsigmoid_backward hardswish_backward hardtanh_backward
huber_loss_backward leaky_relu_backward log_sigmoid_backward logit_backward masked_scatter_backward
max_pool2d_backward max_pool2d_with_indices_backward max_pool3d_with_indices_backward
mkldnn_adaptive_avg_pool2d_backward mkldnn_max_pool2d_backward mkldnn_max_pool3d_backward mse_loss_backward
multi_margin_loss_backward multilabel_margin_loss_backward native_batch_norm_backward
native_dropout_backward native_group_norm_backward native_layer_norm_backward nll_loss2d_backward
nll_loss_backward reflection_pad1d_backward reflection_pad2d_backward reflection_pad3d_backward
replication_pad1d_backward replication_pad2d_backward replication_pad3d_backward rrelu_with_noise_backward
select_backward sigmoid_backward silu_backward slice_backward smooth_l1_loss_backward
soft_margin_loss_backward softplus_backward softshrink_backward tanh_backward threshold_backward
unfold_backward upsample_bicubic2d_backward upsample_bilinear2d_backward upsample_linear1d_backward
upsample_nearest1d_backward upsample_nearest2d_backward upsample_nearest3d_backward
upsample_trilinear3d_backward
"""
_ATEN_MOVES: Final = frozenset(f"aten::{name}" for table in (_CREATION, _MOVEMENT) for name in table.split())
_ATEN_WORKS: Final = frozenset(
    f"aten::{name}" for table in (_REDUCTION, _LAYERS, _GRADIENTS) for name in table.split()
)
# The same kinds of work on quantised tensors, and on those of libraries beside torch's own kernels.
_MOVES_ELSEWHERE = """
quantized::cat quantized::cat_out quantized::linear_prepack quantized::linear_prepack_fp16
quantized::linear_prepack_fp16_legacy quantized::linear_prepack_legacy quantized::linear_unpack
quantized::linear_unpack_fp16 quantized::conv_prepack quantized::conv1d_prepack quantized::conv2d_prepack
quantized::conv3d_prepack quantized::conv_transpose1d_prepack quantized::conv_transpose2d_prepack
quantized::conv_transpose3d_prepack quantized::embedding_byte quantized::embedding_4bit
quantized::embedding_bag_prepack quantized::embedding_bag_byte_prepack quantized::embedding_bag_4bit_prepack
quantized::embedding_bag_2bit_prepack quantized::embedding_bag_byte_prepack_with_rowwise_min_max
quantized::embedding_bag_4bit_prepack_with_rowwise_min_max quantized::embedding_bag_byte_unpack
quantized::embedding_bag_2bit_prepack_with_rowwise_min_max quantized::embedding_bag_4bit_unpack
quantized::embedding_bag_2bit_unpack quantized::make_quantized_cell_params quantized::dropout
quantized::make_quantized_cell_params_dynamic quantized::make_quantized_cell_params_fp16
_quantized::linear_prepack _quantized::linear_prepack_fp16 _quantized::linear_prepack_legacy
_quantized::linear_prepack_fp16_legacy _quantized::_wrapped_linear_prepack _quantized::conv2d_prepack
_quantized::conv3d_prepack _quantized::conv_transpose1d_prepack _quantized::conv_transpose2d_prepack
_quantized::conv_transpose3d_prepack _quantized::wrapped_fbgemm_pack_gemm_matrix_fp16
onednn::linear_prepack_fp16 onednn::qconv_prepack onednn::qlinear_prepack sparse::qlinear_prepack
mkl::_mkl_reorder_linear_weight mkldnn::_get_mkldnn_serialized_md mkldnn::_nbytes mkldnn::data_ptr
mkldnn::_reorder_convolution_transpose_weight mkldnn::_reorder_convolution_weight
mkldnn::_reorder_linear_weight mkldnn::_reorder_mkldnn_rnn_layer_weight
quantization::_Bfloat16QuantizedToFloat quantization::_FloatToBfloat16Quantized
profiler::_record_function_enter profiler::_record_function_enter_new profiler::_record_function_exit
"""
_WORKS_ELSEWHERE = """
quantized::add quantized::add_out quantized::add_relu quantized::add_relu_out quantized::add_scalar
quantized::add_scalar_out quantized::add_scalar_relu quantized::add_scalar_relu_out quantized::mul
quantized::mul_out quantized::mul_relu quantized::mul_relu_out quantized::mul_scalar
quantized::mul_scalar_out quantized::mul_scalar_relu quantized::mul_scalar_relu_out quantized::cat_relu
quantized::cat_relu_out quantized::batch_norm quantized::batch_norm_relu quantized::batch_norm1d
quantized::batch_norm1d_relu quantized::batch_norm2d quantized::batch_norm2d_relu quantized::batch_norm3d
quantized::batch_norm3d_relu quantized::layer_norm quantized::group_norm quantized::instance_norm
quantized::softmax quantized::hardswish quantized::sigmoid quantized::leaky_relu quantized::prelu
quantized::relu6 quantized::celu quantized::clamp quantized::elu quantized::threshold quantized::max_pool1d
quantized::max_pool2d _quantized::add onednn::qadd onednn::qadd_relu onednn::qmul onednn::qbatch_norm2d
torchvision::nms torchvision::qnms torchvision::roi_align torchvision::roi_pool torchvision::ps_roi_align
torchvision::ps_roi_pool
"""
_OTHER_MOVES: Final = frozenset(_MOVES_ELSEWHERE.split())
_OTHER_WORKS: Final = frozenset(_WORKS_ELSEWHERE.split())


@cache
def kind_of(operator: torch._ops.OpOverload) -> Free | None:
    """Say what an operator without products does; None for one that is not known to be such."""
    name = operator._schema.name
    if name in _ATEN_MOVES or name in _OTHER_MOVES:
        return Free.MOVES
    if name in _ATEN_WORKS or name in _OTHER_WORKS:
        return Free.WORKS
    if not name.startswith(_WORK_NAMESPACES) or operator.name() not in _BUILT_IN:
        return None
    return _by_rule(operator, name)


def _by_rule(operator: torch._ops.OpOverload, name: str) -> Free | None:
    if operator.is_view or torch.Tag.inplace_view in operator.tags or name.endswith("_copy"):
        return Free.MOVES
    if name.startswith("aten::_foreach_"):
        return Free.WORKS
    # Variants that write into a given tensor carry no tags of their own.
    packet = operator.overloadpacket
    variants = (getattr(packet, overload) for overload in packet.overloads())
    known = (each for each in variants if each.name() in _BUILT_IN)
    return Free.WORKS if any(not _WORK_TAGS.isdisjoint(each.tags) for each in known) else None
