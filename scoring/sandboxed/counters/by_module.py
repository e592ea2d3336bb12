"""Counts MACs with ptflops' module hooks (its "pytorch" backend), told to count products only.

Its "aten" backend sees a part of what our dispatch counter sees, and so is left out. ptflops also
counts activations, norms and pools, some of them twice (as a module and as the function that it
calls); those are set to zero, so that the three counters share one convention. What it still adds
are biases and the gates of recurrent cells, well below 1%.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any, Final

import torch
from torch import nn

from scoring.sandboxed.lean_import import absent

with absent("torchvision", "timm"):
    from ptflops import pytorch_engine, pytorch_ops

_count = pytorch_engine.get_flops_pytorch
_PRODUCTS: Final = (
    nn.modules.conv._ConvNd,
    nn.Linear,
    nn.RNNBase,
    nn.RNNCellBase,
    nn.MultiheadAttention,
)
# What ptflops counts of torchvision and timm where they are installed, by the names of the classes.
_OF_PACKAGES: Final = {
    ("torchvision.ops.deform_conv", "DeformConv2d"): pytorch_ops.deformable_conv_flops_counter_hook,
    ("timm.layers.attention", "Attention"): pytorch_ops.timm_attention_counter_hook,
}


def _free(*args: Any, **kwargs: Any) -> int:
    return 0


def _count_once(module: Any, inputs: Any, output: Any) -> None:
    module.__batch_counter__ += 1


def _hooks() -> dict[type[nn.Module], Any]:
    return {
        kind: pytorch_ops.empty_flops_counter_hook
        for kind in pytorch_ops.MODULES_MAPPING
        if not issubclass(kind, _PRODUCTS) and "ttention" not in kind.__name__
    }


_HOOKS: Final = _hooks()


def prepare() -> None:
    """Set ptflops' hooks for functions that multiply nothing to zero, and let it count whole batches.

    It divides by the batch what modules do, and forgets to divide what functions do.
    """
    pytorch_engine.batch_counter_hook = _count_once
    for function in pytorch_ops.FUNCTIONAL_MAPPING:
        pytorch_ops.FUNCTIONAL_MAPPING[function] = _free
    for function in (torch.mul, torch.Tensor.mul, torch.add, torch.Tensor.add):
        pytorch_ops.TENSOR_OPS_MAPPING[function] = _free


def count(model: nn.Module, sample: torch.Tensor) -> int | None:
    """Return the MACs of one forward of the whole `sample`, or None where ptflops gives up."""
    _know_packages(model)
    with torch.no_grad(), redirect_stdout(io.StringIO()):
        macs, _ = _count(
            model,
            tuple(sample.shape[1:]),
            print_per_layer_stat=False,
            input_constructor=lambda _: sample.clone(),
            ost=io.StringIO(),
            custom_modules_hooks=_HOOKS,
        )
    return None if macs is None else int(macs)


def _know_packages(model: nn.Module) -> None:
    """Tell ptflops of the classes that it would have found by importing their packages itself."""
    for kind in {type(part) for part in model.modules()}:
        hook = _OF_PACKAGES.get((kind.__module__, kind.__name__))
        if hook is not None:
            pytorch_ops.MODULES_MAPPING[kind] = hook
