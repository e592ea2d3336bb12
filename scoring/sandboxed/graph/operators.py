"""The operators that a graph may consist of: results depend on their inputs alone, shapes on shapes alone.

Left out is what the counts could not hold for, or what a graph has no business with: operators whose
work or result's shape depends on values (`nonzero`, `item`), that draw random numbers, that return memory
as it was found, that reinterpret a tensor's storage, and decompositions that run until they converge.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import torch

_ATEN_NAMES = """
__and__ __iand__ __ilshift__ __ior__ __irshift__ __ixor__ __lshift__ __or__ __rshift__ __xor__
_adaptive_avg_pool2d _adaptive_avg_pool3d _conj _fft_c2c _fft_c2r _fft_r2c _log_softmax
_native_batch_norm_legit_no_training _neg_view _safe_softmax _softmax _to_copy
_unsafe_index _unsafe_view _upsample_bicubic2d_aa _upsample_bilinear2d_aa _upsample_nearest_exact1d
_upsample_nearest_exact2d _upsample_nearest_exact3d _weight_norm _weight_norm_interface abs abs_
absolute absolute_ acos acos_ acosh acosh_ adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d add add_ addbmm addbmm_ addcdiv addcdiv_
addcmul addcmul_ addmm addmm_ addmv addmv_ addr addr_ adjoint affine_grid_generator alias all
alpha_dropout amax amin aminmax angle any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh
argmax argmin argsort asin asin_ asinh asinh_ atan atan2 atan2_ atan_ atanh atanh_ atleast_1d
atleast_2d atleast_3d avg_pool1d avg_pool2d avg_pool3d baddbmm baddbmm_ batch_norm bilinear
bitwise_and bitwise_and_ bitwise_left_shift bitwise_left_shift_ bitwise_not bitwise_not_ bitwise_or
bitwise_or_ bitwise_right_shift bitwise_right_shift_ bitwise_xor bitwise_xor_ block_diag bmm
broadcast_tensors broadcast_to bucketize cat cdist ceil ceil_ celu celu_ channel_shuffle chunk clamp
clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ clone col2im column_stack complex concat
concatenate conj conj_physical constant_pad_nd contiguous conv1d conv2d conv3d conv_depthwise3d
conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution copy copy_ copysign copysign_
corrcoef cos cos_ cosh cosh_ cosine_similarity cov cross cummax cummin cumprod cumprod_ cumsum cumsum_
deg2rad detach detach_ diag diag_embed diagflat diagonal diagonal_scatter diff digamma dist div div_
divide divide_ dot dropout dropout_ dsplit dstack einsum elu elu_ embedding embedding_bag eq eq_ erf
erf_ erfc erfc_ erfinv exp exp2 exp2_ exp_ expand expand_as expm1 expm1_ eye feature_alpha_dropout
feature_dropout feature_dropout_ fft_fft fft_fft2 fft_fftfreq fft_fftn fft_fftshift fft_hfft fft_hfft2
fft_hfftn fft_ifft fft_ifft2 fft_ifftn fft_ifftshift fft_ihfft fft_ihfft2 fft_ihfftn fft_irfft
fft_irfft2 fft_irfftn fft_rfft fft_rfft2 fft_rfftfreq fft_rfftn fill fill_ fill_diagonal_ fix fix_
flatten flip fliplr flipud float_power floor floor_ floor_divide floor_divide_ fmax fmin fmod fmod_
frac frac_ frobenius_norm full full_like gather ge ge_ gelu gelu_ ger glu greater greater_equal
grid_sampler grid_sampler_2d grid_sampler_3d group_norm gru gru_cell gt gt_ hardshrink hardsigmoid
hardsigmoid_ hardswish hardswish_ hardtanh hardtanh_ hsplit hstack hypot im2col imag index index_add
index_add_ index_copy index_copy_ index_fill index_fill_ index_put index_put_ index_select inner
instance_norm isclose isfinite isinf isnan isneginf isposinf isreal istft kron layer_norm le le_
leaky_relu leaky_relu_ lerp lerp_ less less_equal lgamma lift_fresh lift_fresh_copy linalg_cross
linalg_diagonal linalg_matmul linalg_matrix_norm linalg_multi_dot linalg_norm linalg_vecdot
linalg_vector_norm linear linspace log log10 log10_ log1p log1p_ log2 log2_ log_ log_sigmoid
log_softmax logaddexp logaddexp2 logcumsumexp logical_and logical_and_ logical_not logical_not_
logical_or logical_or_ logical_xor logical_xor_ logit logit_ logsumexp lstm lstm_cell lt lt_ mH mT
masked_fill masked_fill_ matmul matrix_H max max_pool1d max_pool2d max_pool2d_with_indices max_pool3d
max_pool3d_with_indices maximum mean median meshgrid min minimum mish mish_ mm moveaxis movedim msort
mul mul_ multiply multiply_ mv nan_to_num nan_to_num_ nanmean nansum narrow native_batch_norm
native_group_norm native_layer_norm ne ne_ neg neg_ negative negative_ new_full new_ones new_zeros
norm norm_except_dim not_equal numpy_T ones ones_like outer pad pairwise_distance permute
pixel_shuffle pixel_unshuffle polar positive pow pow_ prelu prod rad2deg ravel real reciprocal
reciprocal_ reflection_pad1d reflection_pad2d reflection_pad3d relu relu6 relu6_ relu_ remainder
remainder_ repeat repeat_interleave replication_pad1d replication_pad2d replication_pad3d reshape
reshape_as rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell roll rot90 round round_ row_stack
rrelu rsqrt rsqrt_ rsub scalar_tensor scaled_dot_product_attention scatter scatter_ scatter_add
scatter_add_ scatter_reduce scatter_reduce_ searchsorted select select_scatter selu selu_ sgn sgn_
sigmoid sigmoid_ sign sign_ signbit silu silu_ sin sin_ sinc sinh sinh_ slice slice_scatter softmax
softplus softshrink sort split split_with_sizes sqrt sqrt_ square square_ squeeze squeeze_ stack std
std_mean stft sub sub_ subtract subtract_ sum swapaxes swapdims t t_ take_along_dim tan tan_ tanh
tanh_ tensor_split tensordot threshold threshold_ tile to topk trace transpose transpose_ tril tril_
triu triu_ true_divide true_divide_ trunc trunc_ type_as unbind unflatten unfold unsafe_chunk
unsafe_split unsafe_split_with_sizes unsqueeze unsqueeze_ upsample_bicubic2d upsample_bilinear2d
upsample_linear1d upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_trilinear3d var
var_mean vdot view view_as view_as_complex view_as_real vsplit vstack where xlogy zero zero_ zeros
zeros_like
"""
ATEN: Final = frozenset(_ATEN_NAMES.split())
TORCHVISION: Final = frozenset({"deform_conv2d", "roi_align"})
NAMESPACES: Final[Mapping[str, frozenset[str]]] = {"aten": ATEN, "torchvision": TORCHVISION}
SIZES: Final = frozenset({"aten::sym_size.int", "aten::sym_numel"})
_VALUES_DECIDE: Final = frozenset({torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape})
BY_MASK: Final = frozenset({"aten::index.Tensor", "aten::_unsafe_index.Tensor"})
"""Their result's shape depends on values only where an index is a mask; `module` refuses that."""
_SWITCHES: Final = ("train", "training")
_CHANCES: Final = ("dropout_p", "p")

ARITHMETIC: Final[Mapping[str, Callable[..., Any]]] = {
    each.__name__: each
    for each in (
        operator.add,
        operator.sub,
        operator.mul,
        operator.floordiv,
        operator.truediv,
        operator.mod,
        operator.pow,
        operator.neg,
        operator.pos,
        operator.eq,
        operator.ne,
        operator.lt,
        operator.le,
        operator.gt,
        operator.ge,
        operator.and_,
        operator.or_,
        operator.getitem,
        math.ceil,
        math.floor,
        math.trunc,
        torch.sym_float,
        torch.sym_int,
        torch.sym_max,
        torch.sym_min,
        torch.sym_not,
        torch.sym_ite,
    )
}
"""What may be done with sizes, and `getitem` for one of several results."""


class UnknownOperator(Exception):
    """The graph uses an operator that is not on the list; its text says which, and why not where that is known."""


@cache
def resolve(name: str) -> Callable[..., Any]:
    """Return the operator called "aten::add.Tensor", or a function of `ARITHMETIC` by its plain name."""
    if name in ARITHMETIC:
        return ARITHMETIC[name]
    namespace, _, rest = name.partition("::")
    packet, _, overload = rest.partition(".")
    try:
        found = getattr(getattr(getattr(torch.ops, namespace), packet), overload)
    except AttributeError:
        raise UnknownOperator(f"{name} does not exist") from None
    if not isinstance(found, torch._ops.OpOverload) or not _is_dispatched(found):
        raise UnknownOperator(f"{name} is not an operator")
    if name not in BY_MASK and not _VALUES_DECIDE.isdisjoint(found.tags):
        raise UnknownOperator(f"what {name} returns depends on values in a way that a graph cannot hold")
    if name not in SIZES and packet not in NAMESPACES.get(namespace, frozenset()):
        draws = torch.Tag.nondeterministic_seeded in found.tags
        raise UnknownOperator(f"{name} draws random numbers" if draws else f"graphs may not use {name}")
    return found


def _is_dispatched(operator: torch._ops.OpOverload) -> bool:
    """Say whether a counter sees it: TorchScript has operators on plain numbers that nothing dispatches."""
    return operator.name() in torch._C._dispatch_get_all_op_names()


def check_call(operator: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise `UnknownOperator` for a call that would draw random numbers, as dropout does while training."""
    if (
        not isinstance(operator, torch._ops.OpOverload)
        or torch.Tag.nondeterministic_seeded not in operator.tags
    ):
        return
    given = {argument.name: value for argument, value in zip(operator._schema.arguments, args, strict=False)}
    given.update(kwargs)
    switches = [bool(given.get(name)) for name in _SWITCHES if name in given]
    chances = [given[name] for name in _CHANCES if name in given]
    if any(switches) if switches else any(chances):
        raise UnknownOperator(f"{operator._schema.name} would draw random numbers")
