"""Counts MACs with fvcore, which walks a trace of the model; told to count products only."""

from __future__ import annotations

import logging
from typing import Any, Final

import torch
from torch import nn

from scoring.sandboxed.counters.dispatch import spelled_out
from scoring.sandboxed.lean_import import absent, hollow

# redis is for locks on files that nobody shares; of fvcore.nn the rest is for tables and for training.
with absent("redis"), hollow("fvcore.nn"):
    from fvcore.nn.flop_count import FlopCountAnalysis
    from fvcore.nn.jit_handles import get_shape

_Analysis = FlopCountAnalysis
_spelled_out = spelled_out
_FREE: Final = (
    "aten::batch_norm",
    "aten::group_norm",
    "aten::layer_norm",
    "aten::instance_norm",
    "aten::upsample_nearest2d",
    "aten::upsample_bilinear2d",
    "aten::adaptive_avg_pool2d",
    "aten::grid_sampler",
)


def _free(inputs: list[Any], outputs: list[Any]) -> int:
    return 0


def _attention(inputs: list[Any], outputs: list[Any]) -> int:
    """QK^T and AV, which fvcore has no rule for."""
    query, key, value = (get_shape(each) for each in inputs[:3])
    scores = int(torch.Size(query[:-1]).numel()) * int(key[-2])
    return scores * (int(query[-1]) + int(value[-1]))


def count(model: nn.Module, sample: torch.Tensor) -> int:
    """Return the MACs of one forward of `sample`; raises where the model cannot be traced."""
    for name in ("fvcore", "torch.jit"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with torch.no_grad(), _spelled_out():
        analysis = _Analysis(model, sample.clone())
        analysis.unsupported_ops_warnings(enabled=False)
        analysis.uncalled_modules_warnings(enabled=False)
        analysis.tracer_warnings("none")
        analysis.set_op_handle(*(part for name in _FREE for part in (name, _free)))
        analysis.set_op_handle("aten::scaled_dot_product_attention", _attention)
        return int(analysis.total())
