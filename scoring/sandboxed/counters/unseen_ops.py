"""Products that torch computes out of sight of its dispatcher; refused where MACs are counted.

Nearly every operator reaches the dispatch counter, or consists of others that do. These old ones of
FBGEMM do neither: a model built on them would count as nothing, and be named nowhere.
"""

from __future__ import annotations

import warnings
from functools import cache, partial
from typing import Final, NoReturn

import torch

UNSEEN: Final = (
    "fbgemm_linear_fp16_weight",
    "fbgemm_linear_fp16_weight.out",
    "fbgemm_linear_fp16_weight_fp32_activation",
    "fbgemm_linear_fp16_weight_fp32_activation.out",
    "fbgemm_linear_int8_weight",
    "fbgemm_linear_int8_weight_fp32_activation",
)


@cache
def refuse_unseen() -> torch.library.Library:
    """Let these operators raise from now on, in scripts too; what is returned keeps it so."""
    library = torch.library.Library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*[Oo]verriding a previously registered kernel")
        for name in UNSEEN:
            library.impl(name, partial(_refuse, name), "CompositeImplicitAutograd")
    return library


def _refuse(name: str, *args: object, **kwargs: object) -> NoReturn:
    raise RuntimeError(f"torch.{name.removesuffix('.out')} cannot be counted; use torch.nn.functional.linear")
