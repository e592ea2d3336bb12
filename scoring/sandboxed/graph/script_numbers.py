"""Tensors without dimensions that are known as numbers: sizes, and constants.

A trace writes `x.shape[0] // 2` down as operators on such tensors. Computed as numbers they stay what they are, and
a size of any batch stays one; only an operator that meets a real tensor beside them is given tensors.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from scoring.sandboxed.graph.script_words import MEANINGS, wider

_DTYPES: Final = MEANINGS["ScalarType"]


@dataclass(frozen=True)
class Single:
    """A tensor without dimensions, by its number; a size may be one of torch's symbols."""

    number: Any
    dtype: torch.dtype

    def tensor(self) -> torch.Tensor:
        """Return it as a tensor."""
        return torch.scalar_tensor(self.number, dtype=self.dtype)


def single(number: Any) -> Single:
    """Return the tensor that TorchScript makes of a number."""
    return Single(number, _usual(number))


def _usual(number: Any) -> torch.dtype:
    if isinstance(number, (bool, torch.SymBool)):
        return torch.bool
    return torch.int64 if isinstance(number, (int, torch.SymInt)) else torch.float64


def _add(one: Any, other: Any, factor: Any = 1) -> Any:
    return one + other * factor


def _subtract(one: Any, other: Any, factor: Any = 1) -> Any:
    return one - other * factor


def _subtract_from(one: Any, other: Any, factor: Any = 1) -> Any:
    return other - one * factor


def _divide(one: Any, other: Any, rounding: str | None = None) -> Any:
    if rounding is None:
        return one / other
    return one // other if rounding == "floor" or (one < 0) == (other < 0) else -(-one // other)


def _cast(number: Any, dtype: torch.dtype) -> Single:
    changed = torch.sym_float(number) if dtype.is_floating_point else torch.sym_int(number)
    return Single(_rounded(changed, dtype), dtype)


def _rounded(number: Any, dtype: torch.dtype) -> Any:
    """Return a number as precise as the tensor is: of 0.7 times 10 the whole part depends on it."""
    is_narrow = isinstance(number, float) and dtype is torch.float32
    return float(np.float32(number)) if is_narrow else number


_TO_TENSORS: Final[Mapping[str, Callable[..., Any]]] = {
    "aten::add": _add,
    "aten::sub": _subtract,
    "aten::rsub": _subtract_from,
    "aten::mul": operator.mul,
    "aten::div": _divide,
    "aten::floor_divide": operator.floordiv,
    "aten::remainder": operator.mod,
    "aten::neg": operator.neg,
    "aten::floor": math.floor,
    "aten::ceil": math.ceil,
    "aten::eq": operator.eq,
    "aten::ne": operator.ne,
    "aten::lt": operator.lt,
    "aten::le": operator.le,
    "aten::gt": operator.gt,
    "aten::ge": operator.ge,
    "aten::detach": lambda number: number,
    "aten::clone": lambda number, *others: number,
}
_PLACES_OF_TYPE: Final[Mapping[str, int]] = {"dtype": 1, "device": 2}
"""Where the overloads of `to` are given the type."""
_KEEP_TYPE: Final = frozenset({"aten::floor", "aten::ceil"})
_TO_NUMBERS: Final[Mapping[str, Callable[..., Any]]] = {
    "aten::Int": torch.sym_int,
    "aten::IntImplicit": torch.sym_int,
    "aten::Float": torch.sym_float,
    "aten::FloatImplicit": torch.sym_float,
    "aten::Bool": bool,
    "aten::ScalarImplicit": lambda number: number,
    "aten::item": lambda number: number,
}


def on_numbers(name: str, overload: str, given: Sequence[Any]) -> tuple[Any, ...]:
    """Return what an operator gives for such tensors, in a tuple; an empty one if that takes real tensors."""
    singles = [each for each in given if isinstance(each, Single)]
    if not singles or any(isinstance(each, (torch.Tensor, list)) for each in given):
        return ()
    numbers = [each.number if isinstance(each, Single) else each for each in given]
    if name in _TO_NUMBERS:
        return (_TO_NUMBERS[name](numbers[0]),)
    if name == "aten::to" and overload in _PLACES_OF_TYPE:
        return (_cast(numbers[0], _DTYPES[numbers[_PLACES_OF_TYPE[overload]]]),)
    if name not in _TO_TENSORS:
        return ()
    found = _TO_TENSORS[name](*numbers)
    dtype = singles[0].dtype if name in _KEEP_TYPE else _result_type(found, singles)
    return (Single(_rounded(found, dtype), dtype),)


def _result_type(found: Any, singles: Sequence[Single]) -> torch.dtype:
    if isinstance(found, (bool, torch.SymBool)):
        return torch.bool
    together = wider(*(each.dtype for each in singles))
    floats = isinstance(found, (float, torch.SymFloat))
    return torch.get_default_dtype() if floats and not together.is_floating_point else together
