"""What TorchScript's own words come to in Python: those for numbers, lists, texts and questions about tensors.

TorchScript names types, layouts and memory formats by number; so do the values here, and what they stand
for is given to operators only. Sizes may be torch's symbols, so nothing here asks for their numbers
unless a branch or a loop does.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Final

import torch

# The numbers of c10::ScalarType, Layout and MemoryFormat.
_DTYPES: Final[Mapping[int, torch.dtype]] = {
    0: torch.uint8,
    1: torch.int8,
    2: torch.int16,
    3: torch.int32,
    4: torch.int64,
    5: torch.float16,
    6: torch.float32,
    7: torch.float64,
    9: torch.complex64,
    10: torch.complex128,
    11: torch.bool,
    15: torch.bfloat16,
}
_LAYOUTS: Final[Mapping[int, torch.layout]] = {0: torch.strided}
_MEMORY_FORMATS: Final[Mapping[int, torch.memory_format]] = {
    0: torch.contiguous_format,
    1: torch.preserve_format,
    2: torch.channels_last,
    3: torch.channels_last_3d,
}
MEANINGS: Final[Mapping[str, Mapping[int, Any]]] = {
    "ScalarType": _DTYPES,
    "Layout": _LAYOUTS,
    "MemoryFormat": _MEMORY_FORMATS,
}
"""What a number stands for, by the type of the argument that it is given as."""
_NUMBERS: Final = {meaning: number for names in MEANINGS.values() for number, meaning in names.items()}


def numbered(value: Any) -> Any:
    """Return a type, layout or memory format as TorchScript's number for it; anything else as it is."""
    return _NUMBERS.get(value, value) if isinstance(value, (torch.dtype, torch.layout)) else value


def _range_length(first: Any, last: Any, step: Any) -> Any:
    return max(0, -((first - last) // step))


def _smallest(*given: Any) -> Any:
    return reduce(torch.sym_min, given[0] if len(given) == 1 else given)


def _largest(*given: Any) -> Any:
    return reduce(torch.sym_max, given[0] if len(given) == 1 else given)


def _slice(values: Sequence[Any], first: Any = None, last: Any = None, step: int = 1) -> Any:
    return values[first:last:step]


def _truncated(value: Any) -> Any:
    return torch.sym_int(value) if isinstance(value, (torch.SymInt, torch.SymFloat)) else int(value)


def _floating(value: Any) -> Any:
    return torch.sym_float(value) if isinstance(value, (torch.SymInt, torch.SymFloat)) else float(value)


def wider(*dtypes: torch.dtype) -> torch.dtype:
    """Return the type that tensors of these give together; torch's own function would become part of the graph."""
    return max(dtypes, key=lambda each: (each.is_complex, each.is_floating_point, each.itemsize))


def _nothing(*given: Any) -> None:
    """Warnings and assertions: the graph is compared with the module instead."""


def _text(*given: Any) -> str:
    return " ".join(map(str, given))


PLAIN: Final[Mapping[str, Callable[..., Any]]] = {
    "aten::add": operator.add,
    "aten::sub": operator.sub,
    "aten::mul": operator.mul,
    "aten::div": operator.truediv,
    "aten::floordiv": operator.floordiv,
    "aten::remainder": operator.mod,
    "aten::pow": operator.pow,
    "aten::neg": operator.neg,
    "aten::ceil": math.ceil,
    "aten::floor": math.floor,
    "aten::eq": operator.eq,
    "aten::ne": operator.ne,
    "aten::lt": operator.lt,
    "aten::le": operator.le,
    "aten::gt": operator.gt,
    "aten::ge": operator.ge,
    "aten::__and__": operator.and_,
    "aten::__or__": operator.or_,
    "aten::__xor__": operator.xor,
    "aten::__not__": operator.not_,
    "aten::__is__": operator.is_,
    "aten::__isnot__": operator.is_not,
    "aten::__contains__": operator.contains,
    "aten::__getitem__": operator.getitem,
    "aten::__range_length": _range_length,
    "aten::__derive_index": lambda turn, first, step: first + turn * step,
    "aten::_set_item": operator.setitem,
    "aten::len": len,
    "aten::append": list.append,
    "aten::extend": list.extend,
    "aten::insert": list.insert,
    "aten::pop": list.pop,
    "aten::reverse": list.reverse,
    "aten::slice": _slice,
    "aten::list": list,
    "aten::copy": lambda values: values.copy(),
    "aten::keys": list,
    "aten::values": lambda values: list(values.values()),
    "aten::items": lambda values: list(values.items()),
    "aten::get": dict.get,
    "aten::Int": _truncated,
    "aten::Float": _floating,
    "aten::Bool": bool,
    "aten::promote_types": lambda *given: _NUMBERS[wider(*(_DTYPES[each] for each in given))],
    "aten::format": _text,
    "aten::percentFormat": _text,
    "aten::str": _text,
    "aten::warn": _nothing,
    "aten::is_grad_enabled": torch.is_grad_enabled,
    "aten::is_autocast_enabled": torch.is_autocast_enabled,
    "aten::is_autocast_cpu_enabled": lambda: torch.is_autocast_enabled("cpu"),
    "prim::min": _smallest,
    "prim::max": _largest,
    "prim::abs": abs,
    "prim::Print": _nothing,
    "prim::Uninitialized": _nothing,
    "prim::unchecked_cast": lambda value: value,
    "prim::unchecked_unwrap_optional": lambda value: value,
    "prim::ListConstruct": lambda *given: list(given),
    "prim::TupleConstruct": lambda *given: given,
    "prim::TupleIndex": operator.getitem,
    "prim::DictConstruct": lambda *given: dict(zip(given[::2], given[1::2], strict=True)),
}
"""Words for values that are no tensors."""


def _moved(tensor: torch.Tensor, *given: Any) -> torch.Tensor:
    """`to` of a device, a type, or both; its last two arguments say how to copy."""
    *where, _, copies = given
    return _put(tensor, where, copy=copies)


def _put(tensor: torch.Tensor, where: Sequence[Any], *, copy: bool = False) -> torch.Tensor:
    dtype = next((_DTYPES[each] for each in where if isinstance(each, int)), None)
    device = next((each for each in where if isinstance(each, (torch.device, str))), None)
    return tensor.to(device=device, dtype=dtype, copy=copy)


def _as_tensor(data: Any, dtype: int | None = None, device: Any = None, *others: Any) -> torch.Tensor:
    kind = None if dtype is None else _DTYPES[dtype]
    if isinstance(data, (list, tuple)):
        return torch.tensor(data, dtype=kind, device=device)
    if kind is None:
        kind = torch.bool if isinstance(data, bool) else None
        kind = torch.int64 if kind is None and isinstance(data, (int, torch.SymInt)) else kind
    return torch.scalar_tensor(data, dtype=kind, device=device)


ABOUT_TENSORS: Final[Mapping[str, Callable[..., Any]]] = {
    "aten::size": lambda tensor: list(tensor.shape),
    "aten::size.int": lambda tensor, place: tensor.shape[place],
    "aten::stride": lambda tensor: list(tensor.stride()),
    "aten::stride.int": lambda tensor, place: tensor.stride(place),
    "aten::dim": lambda tensor: tensor.dim(),
    "aten::numel": lambda tensor: tensor.numel(),
    "aten::len.Tensor": lambda tensor: tensor.shape[0],
    "aten::is_floating_point": lambda tensor: tensor.is_floating_point(),
    "aten::is_complex": lambda tensor: tensor.is_complex(),
    "aten::is_contiguous": lambda tensor: tensor.is_contiguous(),
    "aten::Int.Tensor": lambda tensor: tensor.item(),
    "aten::IntImplicit": lambda tensor: tensor.item(),
    "aten::Float.Tensor": lambda tensor: tensor.item(),
    "aten::FloatImplicit": lambda tensor: tensor.item(),
    "aten::Bool.Tensor": bool,
    "aten::ScalarImplicit": lambda tensor: tensor.item(),
    "aten::item": lambda tensor: tensor.item(),
    "aten::to.prim_Device": _moved,
    "aten::to.prim_dtype": _moved,
    "aten::to.prim_other": _moved,
    **{f"aten::tensor{ending}": _as_tensor for ending in ("", ".float", ".int", ".bool", ".complex")},
    **{f"aten::as_tensor{ending}": _as_tensor for ending in (".float", ".int", ".bool", ".complex", ".list")},
    "aten::as_tensor": lambda tensor, *where: _put(tensor, where),
    **{
        f"prim::{name}": operator.attrgetter(name)
        for name in (
            *("device", "dtype", "layout", "requires_grad", "ndim", "data", "is_cpu", "is_cuda", "is_mps"),
            *("is_xla", "is_xpu", "is_meta", "is_mkldnn", "is_nested", "is_quantized", "is_sparse"),
        )
    },
}
"""Words that operators have no name for: what is asked about tensors, and how they are made of numbers."""
