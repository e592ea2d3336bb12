"""Counts MACs of every operator that reaches torch's dispatcher, by an explicit table of formulas.

What it cannot see: numpy, other processes, kernels in compiled code of the entry's own, and work
under torch's private switches for turning dispatch modes off. Processor time measured from
outside bounds those.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from scoring.sandboxed.counters.formulas import FORMULAS
from scoring.sandboxed.counters.free_ops import is_free

# Bound before the entry runs: replacing them in torch's modules changes no count.
_is_free, _attention_kernels, _math = is_free, sdpa_kernel, SDPBackend.MATH
_set_fast_path = torch.backends.mha.set_fastpath_enabled


class MacCounter(TorchDispatchMode):
    """Adds up MACs while it is entered; names the operators that no table knows."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0
        self.uncounted: set[str] = set()
        self._formulas = FORMULAS
        self._lock = threading.Lock()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run the operator and count it."""
        out = func(*args, **(kwargs or {}))
        self.count(func, args, out)
        return out

    def count(self, operator: Any, args: Sequence[Any], out: Any) -> None:
        """Add one call of an operator."""
        if not isinstance(operator, torch._ops.OpOverload):
            self._note(str(operator))
            return
        name = operator._schema.name
        formula = self._formulas.get(name)
        if formula is None:
            if not _is_free(operator):
                self._note(name)
            return
        macs = formula(args, out)
        with self._lock:
            self.macs += macs

    def _note(self, name: str) -> None:
        with self._lock:
            self.uncounted.add(name)


class _Relay(TorchDispatchMode):
    """Hands what one thread does to the counter that is active, if any."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        counter = _active[0]
        if counter is not None:
            counter.count(func, args, out)
        return out


_active: list[MacCounter | None] = [None]


def count_in_new_threads() -> None:
    """Watch every thread started from now on: dispatch modes hold for one thread only.

    Called before the entry runs, which could otherwise do its products in a worker thread.
    """
    start = _thread.start_new_thread

    def start_watched(function: Callable[..., object], *rest: Any) -> int:
        def watched(*args: Any, **kwargs: Any) -> object:
            with _Relay():
                return function(*args, **kwargs)

        return start(watched, *rest)

    _thread.start_new_thread = start_watched
    threading._start_new_thread = start_watched  # type: ignore[attr-defined]  # not in its stubs


@contextmanager
def spelled_out() -> Iterator[None]:
    """Make torch run attention as the products it consists of, not as one fused operator."""
    _set_fast_path(value=False)
    try:
        with _attention_kernels(_math):
            yield
    finally:
        _set_fast_path(value=True)


def count(forward: Callable[[], object]) -> MacCounter:
    """Run `forward` once and return the counter."""
    counter = MacCounter()
    _active[0] = counter
    try:
        with torch.no_grad(), spelled_out(), counter:
            forward()
    finally:
        _active[0] = None
    return counter
