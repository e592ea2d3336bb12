"""Counts the values a model holds: by distinct storage, registered with the module or not.

- Every floating parameter and buffer counts, trainable or not; a storage counts once and in
  full, however many views of it there are, because `as_strided` reaches all of it.
- Weights of quantised modules count like floating ones.
- Floating tensors and arrays that loading left behind without registering them (plain
  attributes, lists, closures, module globals) count too, so that no weights hide there; copies
  of registered ones, such as a checkpoint still held, do not.
- Integer values and those unregistered ones count only if they are more than `FREE_VALUES`
  together, which leaves index tables and constants alone. Values wider than four bytes count as
  as many four-byte ones as fit into them.
"""

from __future__ import annotations

import array
import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import nn

FREE_VALUES: Final = 2**18
_WORD_BYTES: Final = 4
_ARRAY, _CONTAINER, _OTHER = "array", "container", ""
_ARRAYS: Final = (torch.Tensor, np.ndarray, array.array)
# Bound before the entry runs: a Model that overrides `parameters()` to return nothing changes
# nothing, as torch's own methods are called on it.
_parameters, _buffers, _state_dict = nn.Module.named_parameters, nn.Module.named_buffers, nn.Module.state_dict
_live_objects, _held_by, _is_tracked = gc.get_objects, gc.get_referents, gc.is_tracked


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


def unregistered_arrays(ours: Iterable[Any]) -> list[Any]:
    """Return all tensors and arrays alive after loading, but those that this process made itself."""
    gc.collect()
    made_here = {id(each) for each in ours}
    return [each for each in _live_arrays() if id(each) not in made_here]


def count_parameters(module: nn.Module, unregistered: Iterable[Any]) -> Parameters:
    """Count what the module registers and what else loading left alive."""
    parameters = [parameter for _, parameter in _parameters(module)]
    registered = _by_storage([*parameters, *(buffer for _, buffer in _buffers(module)), *_packed(module)])
    trainable = _by_storage(parameter for parameter in parameters if parameter.requires_grad)
    hidden = _by_storage(_tensors(unregistered))
    for address in registered:
        hidden.pop(address, None)
    loose = sum(held.values for held in registered.values() if not held.floating)
    loose += sum(held.values for held in hidden.values() if not _is_copy(held, registered.values()))
    floating = sum(held.values for held in registered.values() if held.floating)
    return Parameters(
        total=floating + (loose if loose > FREE_VALUES else 0),
        trainable=sum(held.values for held in trainable.values()),
    )


def _live_arrays() -> list[Any]:
    """Walk all that Python keeps alive.

    The collector lists containers, but neither numpy arrays nor dicts and tuples of nothing else.
    """
    kinds = _Kinds()
    tracked = _live_objects()
    found = [each for each in tracked if kinds[type(each)] is _ARRAY]
    waiting = _held_by(*tracked)
    seen: set[int] = set()
    while waiting:
        leaves = {id(each): each for each in waiting if kinds[type(each)]}
        waiting = []
        for identity, each in leaves.items():
            if identity in seen or _is_tracked(each):
                continue
            seen.add(identity)
            if kinds[type(each)] is _ARRAY:
                found.append(each)
            else:
                waiting.extend(_held_by(each))
    return found


class _Kinds(dict[type, str]):
    """Sorts types once each, as there are millions of objects but few types."""

    def __missing__(self, kind: type) -> str:
        # `type.__subclasscheck__` and not `issubclass`, which a class of the entry's can answer itself.
        if any(type.__subclasscheck__(base, kind) for base in _ARRAYS):
            self[kind] = _ARRAY
        else:
            self[kind] = _CONTAINER if kind in {dict, tuple} else _OTHER
        return self[kind]


def _tensors(arrays: Iterable[Any]) -> Iterator[torch.Tensor]:
    for each in arrays:
        if isinstance(each, torch.Tensor):
            yield each
        elif isinstance(each, array.array):
            if each.typecode != "u" and len(each):
                yield torch.from_numpy(np.frombuffer(each, dtype=each.typecode).copy())
        elif each.dtype.kind in "fciu" and each.dtype.isnative and each.size:
            owner = each
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            yield _as_tensor(owner if owner.dtype == each.dtype else each)


def _as_tensor(values: np.ndarray[Any, Any]) -> torch.Tensor:
    flat = np.ascontiguousarray(values).view(np.uint8).reshape(-1)
    tensor = (
        torch.frombuffer(flat.data, dtype=torch.uint8)
        if flat.flags.writeable
        else torch.from_numpy(flat.copy())
    )
    kinds = {2: torch.float16, 4: torch.float32, 8: torch.float64}
    wanted = kinds.get(values.dtype.itemsize, torch.uint8) if values.dtype.kind in "fc" else torch.uint8
    return tensor.view(wanted) if tensor.numel() % values.dtype.itemsize == 0 else tensor


def _packed(module: nn.Module) -> Iterator[torch.Tensor]:
    """Yield weights that quantised modules keep in packed form and show only in their state."""
    waiting = list(_state_dict(module).values())
    while waiting:
        each = waiting.pop()
        if isinstance(each, torch.Tensor):
            yield each
        elif isinstance(each, (tuple, list)):
            waiting.extend(each)


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
    values = storage.nbytes() // tensor.element_size() * words
    return _Held(storage.data_ptr() or id(tensor), values, floating, tensor)


def _is_copy(hidden: _Held, registered: Iterable[_Held]) -> bool:
    return any(
        hidden.view.numel() == held.view.numel() == hidden.values
        and hidden.view.dtype == held.view.dtype
        and torch.equal(hidden.view.reshape(-1), held.view.reshape(-1))
        for held in registered
    )
