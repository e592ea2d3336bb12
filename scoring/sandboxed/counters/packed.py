"""Weights that torch keeps packed for its quantised kernels: objects of C++ that only their state shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import torch

# How deep a state may hold further packed objects; torch's own go three deep.
_MAX_DEPTH: Final = 16
_Packed, _Tensor = torch.ScriptObject, torch.Tensor


def packed_tensors(held: Any, depth: int = _MAX_DEPTH) -> Iterator[torch.Tensor]:
    """Yield the tensors of a packed object, or of a list of such; quantised as they are stored."""
    if isinstance(held, _Tensor):
        yield held
    elif isinstance(held, (tuple, list)) and depth:
        for each in held:
            yield from packed_tensors(each, depth - 1)
    elif isinstance(held, _Packed) and depth:
        yield from packed_tensors(_state(held), depth - 1)


def _state(packed: torch.ScriptObject) -> Any:
    try:
        return packed.__getstate__()
    except (RuntimeError, AttributeError, NotImplementedError):
        # A class of C++ that cannot be saved: a file reader, say.
        return ()


def packed_weights(held: Any) -> int:
    """Return how many values the matrices of packed objects hold, biases and scales aside."""
    return sum(tensor.numel() for tensor in packed_tensors(held) if tensor.dim() > 1)
