"""Every operator that torch and torchvision register has a formula, is free, consists of others, or is listed here."""

from __future__ import annotations

import pytest
import torch

from scoring.sandboxed.counters.formulas import FORMULAS
from scoring.sandboxed.counters.free_ops import kind_of
from scoring.sandboxed.torchvision_ops import declare_missing_operators

# Not for one process on a processor, or not for models: other machines, compilers, debugging.
OTHER_NAMESPACES = """
c10d _c10d_functional _c10d_functional_autograd symm_mem fsdp _dtensor streams debugprims rngprims
inductor inductor_prims _inductor_test debug_mode_ops flex_lib export onnx onnx_symbolic static_runtime
prims mkldnn_prepacked _test pyobj higher_order triton
"""
OTHER_DEVICES = ("cudnn_", "_cudnn_", "miopen_", "mps_", "_mps_", "_triton_", "_cslt_", "_test_")
# Counted by nobody: named where a model meets them.
UNCOUNTABLE = """
_efficient_attention_forward _efficient_attention_backward _flash_attention_forward
_flash_attention_backward _flash_attention_forward_no_dropout_inplace
_scaled_dot_product_cudnn_attention _scaled_dot_product_cudnn_attention_backward
_scaled_dot_product_efficient_attention_backward _scaled_dot_product_flash_attention_backward
_scaled_dot_product_fused_attention_overrideable_backward _scaled_dot_product_attention_math_for_mps
_embedding_bag_backward _embedding_bag_dense_backward _embedding_bag_per_sample_weights_backward
_slow_conv2d_backward convolution_backward_overrideable _sparse_mm_reduce_impl_backward
mkldnn_rnn_layer_backward _lstm_mps lstm_mps_backward _spsolve _to_sparse_semi_structured
_sparse_semi_structured_addmm _sparse_semi_structured_apply _sparse_semi_structured_apply_dense
_sparse_semi_structured_linear _sparse_semi_structured_mm _sparse_semi_structured_tile
_foobar from_file
"""

declare_missing_operators()


def _operators() -> list[torch._ops.OpOverload]:
    found = []
    for full_name in torch._C._dispatch_get_all_op_names():
        namespace, _, name = full_name.partition("::")
        packet, _, overload = name.partition(".")
        try:
            found.append(getattr(getattr(getattr(torch.ops, namespace), packet), overload or "default"))
        except AttributeError:
            # Declared for scripts alone, or by another test: Python cannot call it.
            continue
    return found


def _is_accounted_for(operator: torch._ops.OpOverload) -> bool:
    name = operator._schema.name
    namespace, _, short = name.partition("::")
    return (
        name in FORMULAS
        or kind_of(operator) is not None
        or torch._C._dispatch_has_kernel_for_dispatch_key(operator.name(), "CompositeImplicitAutograd")
        or namespace in OTHER_NAMESPACES.split()
        or short in UNCOUNTABLE.split()
        or short.startswith(OTHER_DEVICES)
    )


@pytest.mark.parametrize(
    "namespace", ["aten", "quantized", "_quantized", "onednn", "mkldnn", "torchvision", "mkl"]
)
def test_every_operator_is_accounted_for(namespace):
    operators = [each for each in _operators() if each._schema.name.startswith(f"{namespace}::")]

    assert operators
    assert [each.name() for each in operators if not _is_accounted_for(each)] == []


def test_every_namespace_of_torch_is_accounted_for():
    mine = {"podium_test", "mine"}
    names = {each._schema.name.split("::")[0] for each in _operators() if not _is_accounted_for(each)}

    assert names <= mine


def test_no_operator_with_a_formula_is_also_free():
    both = [
        each.name() for each in _operators() if each._schema.name in FORMULAS and kind_of(each) is not None
    ]

    assert {name.split(".")[0] for name in both} <= {
        "aten::mul",
        "aten::div",
        "aten::addcmul",
        "aten::_foreach_mm",
    }


def test_nothing_is_listed_as_uncountable_that_is_counted():
    counted = {name for name in UNCOUNTABLE.split() if f"aten::{name}" in FORMULAS}

    assert counted == set()


def test_the_tables_name_operators_that_exist():
    registered = {name.split(".")[0] for name in torch._C._dispatch_get_all_op_names()}
    elsewhere = {name for name in FORMULAS if name.split("::")[0] in {"torchvision", "inductor", "_native"}}

    assert set(FORMULAS) - elsewhere <= registered
