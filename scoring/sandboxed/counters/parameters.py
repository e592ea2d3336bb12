"""Counts the values a model holds: by distinct storage, registered with the module or not.

- Every floating parameter and buffer counts, trainable or not; a storage counts once and in
  full, however many views of it there are, because `as_strided` reaches all of it.
- Weights of quantised modules count like floating ones, those too that torch keeps packed.
- Floating tensors, storages and arrays that loading left behind without registering them (plain
  attributes, lists, closures, module globals) count too, so that no weights hide there; copies
  of registered ones, such as a checkpoint still held, do not.
- Integer values and those unregistered ones count only if they are more than `FREE_VALUES`
  together, which leaves index tables and constants alone; equal ones count once. Values wider than
  four bytes count as as many four-byte ones as fit into them, unless they are small integers.
- Bytes, long texts and numbers of Python's own count, a byte as a value, if they are more than
  `FREE_VALUES` together.
"""

from __future__ import annotations

import array
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from scoring.sandboxed.counters.left_alive import LeftAlive
from scoring.sandboxed.counters.packed import packed_tensors

FREE_VALUES: Final = 2**18
_WORD_BYTES: Final = 4
_HALF_WORDS: Final = 2 ** (8 * _WORD_BYTES - 1)
_FLOATS: Final = {"f": np.float32, "d": np.float64}
# Bound before the entry runs: a Model that overrides `parameters()` to return nothing changes
# nothing, as torch's own methods are called on it.
_parameters, _buffers, _state_dict = nn.Module.named_parameters, nn.Module.named_buffers, nn.Module.state_dict


@dataclass(frozen=True)
class Parameters:
    """How many values a model holds."""

    total: int
    trainable: int


@dataclass(frozen=True)
class _Held:
    """One storage: where it begins, how many values it holds, what they look like."""

    address: int
    values: int
    floating: bool
    view: torch.Tensor


def count_parameters(module: nn.Module, left_alive: LeftAlive) -> Parameters:
    """Count what the module registers and what else loading left alive."""
    parameters = [parameter for _, parameter in _parameters(module)]
    packed = packed_tensors(list(_state_dict(module).values()))
    registered = _by_storage([*parameters, *(buffer for _, buffer in _buffers(module)), *packed])
    trainable = _by_storage(parameter for parameter in parameters if parameter.requires_grad)
    hidden = _by_storage(_tensors(left_alive.arrays))
    for address in registered:
        hidden.pop(address, None)
    loose = [held for held in registered.values() if not held.floating]
    loose += [held for held in hidden.values() if not _is_copy(held, registered.values())]
    floating = sum(held.values for held in registered.values() if held.floating)
    return Parameters(
        total=floating + _unless_few(_distinct(loose)) + _unless_few(left_alive.plain_values),
        trainable=sum(held.values for held in trainable.values()),
    )


def _distinct(loose: Iterable[_Held]) -> int:
    """Add up the values of different contents: each block of a transformer holds the same index table."""
    return sum({_content(held): held.values for held in loose}.values())


def _content(held: _Held) -> object:
    if held.view.layout is not torch.strided or held.view.device.type != "cpu":
        return held.address
    stored = _whole(held.view.untyped_storage()).numpy()
    return held.view.dtype, hashlib.sha256(stored.data).digest()


def _unless_few(values: int) -> int:
    return values if values > FREE_VALUES else 0


def _tensors(arrays: Iterable[Any]) -> Iterator[torch.Tensor]:
    for each in arrays:
        if isinstance(each, torch.Tensor):
            yield each
        elif isinstance(each, torch.UntypedStorage):
            yield _whole(each)
        elif isinstance(each, torch.ScriptObject):
            yield from packed_tensors(each)
        elif isinstance(each, array.array):
            yield torch.from_numpy(
                np.frombuffer(each.tobytes(), dtype=_FLOATS.get(each.typecode, np.uint8)).copy()
            )
        elif each.size:
            owner = each
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            yield _as_tensor(owner if owner.dtype == each.dtype else each)


def _whole(storage: torch.UntypedStorage) -> torch.Tensor:
    return torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)


def _as_tensor(values: np.ndarray[Any, Any]) -> torch.Tensor:
    """Share or copy an array: what is no floating number as its bytes, an object as one value."""
    if values.dtype.hasobject:
        return torch.zeros(values.size, dtype=torch.uint8)
    flat = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    tensor = (
        torch.frombuffer(flat.data, dtype=torch.uint8)
        if flat.flags.writeable
        else torch.from_numpy(flat.copy())
    )
    kinds = {2: torch.float16, 4: torch.float32, 8: torch.float64}
    wanted = kinds.get(values.dtype.itemsize, torch.uint8) if values.dtype.kind in "fc" else torch.uint8
    return tensor.view(wanted) if tensor.numel() % values.dtype.itemsize == 0 else tensor


def _by_storage(tensors: Iterable[torch.Tensor]) -> dict[int, _Held]:
    storages: dict[int, _Held] = {}
    for tensor in tensors:
        held = _held(tensor.detach())
        known = storages.get(held.address)
        # Of several views, the one that finds the most values in the storage counts.
        if known is None or (held.floating, held.values) > (known.floating, known.values):
            storages[held.address] = held
    return storages


def _held(tensor: torch.Tensor) -> _Held:
    floating = tensor.is_floating_point() or tensor.is_complex() or tensor.is_quantized
    if tensor.layout is not torch.strided:
        stored = int(tensor._nnz()) if tensor.is_sparse else tensor.numel()
        return _Held(id(tensor), stored, floating, tensor)
    storage = tensor.untyped_storage()
    words = max(tensor.element_size() // _WORD_BYTES, 1)
    if words > 1 and not floating and _fits_a_word(tensor):
        words = 1
    values = storage.nbytes() // tensor.element_size() * words
    return _Held(storage.data_ptr() or id(tensor), values, floating, tensor)


def _fits_a_word(tensor: torch.Tensor) -> bool:
    """Say whether wide integers are small ones, as in tables of indices; of the whole storage, not of a view."""
    whole = torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(tensor.untyped_storage())
    if tensor.dtype is not torch.int64 or whole.device.type != "cpu" or not whole.numel():
        return False
    least, most = torch.aminmax(whole)
    return int(least) >= -_HALF_WORDS and int(most) < _HALF_WORDS


def _is_copy(hidden: _Held, registered: Iterable[_Held]) -> bool:
    return any(
        hidden.view.numel() == held.view.numel() == hidden.values
        and hidden.view.dtype == held.view.dtype
        and torch.equal(hidden.view.reshape(-1), held.view.reshape(-1))
        for held in registered
    )
