"""Counts MACs of every operator that reaches torch's dispatcher, by an explicit table of formulas.

What it cannot see: numpy, other processes and kernels in compiled code of the entry's own; work under
torch's private switches for turning dispatch modes off is named, not counted. Processor time
measured from outside bounds all of these.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils import _python_dispatch
from torch.utils._python_dispatch import TorchDispatchMode

from scoring.contracts import with_work
from scoring.sandboxed.counters.formulas import FORMULAS
from scoring.sandboxed.counters.free_ops import Free, kind_of
from scoring.sandboxed.counters.products import stored

# Bound before the entry runs: replacing them in torch's modules changes no count.
_kind_of, _attention_kernels, _math = kind_of, sdpa_kernel, SDPBackend.MATH
_stored = stored
_Overload, _FORMULAS = torch._ops.OpOverload, FORMULAS
_set_fast_path = torch.backends.mha.set_fastpath_enabled


class _Mode(TorchDispatchMode):
    """A mode that does not ask torch's compiler to keep out: it never runs here, and is slow to import."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class TooMuch(BaseException):
    """A run takes more work than its counter allows; no `except Exception` on the way swallows it."""


class MacCounter(_Mode):
    """Adds up MACs while it is entered; names the operators that no table knows.

    `products` are the MACs of operators with a formula; `values` is how many values all others
    than movements took in or gave, whichever is more. Raises `TooMuch` once both together are
    over `most`, if that is given.
    """

    def __init__(self, samples: int = 1, most: int | None = None) -> None:
        super().__init__()
        self.products = 0
        self.values = 0
        self.uncounted: set[str] = set()
        self._samples = samples
        self._most = most
        self._formulas = FORMULAS
        self._lock = threading.Lock()

    @property
    def macs(self) -> int:
        """Return the products, and of the work on each value what exceeds its free share."""
        return with_work(self.products, self.values, self._samples)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run the operator and count it."""
        return _watched(self, self, func, args, kwargs or {})

    def count(self, operator: Any, args: Sequence[Any], kwargs: Mapping[str, Any], out: Any) -> None:
        """Add one call of an operator."""
        if not isinstance(operator, _Overload):
            self.note(str(operator))
            return
        formula = self._formulas.get(operator._schema.name)
        macs = 0 if formula is None else formula(args, out)
        if macs:
            with self._lock:
                self.products += macs
        elif _kind_of(operator) is Free.WORKS:
            values = max(_values((args, kwargs)), _values(out))
            with self._lock:
                self.values += values
        elif formula is None and _kind_of(operator) is None:
            self.note(operator._schema.name)
        if self._most is not None and self.products + self.values > self._most:
            raise TooMuch

    def note(self, name: str) -> None:
        """Remember the name of what nobody counts."""
        with self._lock:
            self.uncounted.add(name)


def _values(held: Any) -> int:
    """Return the size of the largest tensor, or list of tensors, among what an operator took or gave."""
    if isinstance(held, torch.Tensor):
        return _stored(held)
    if isinstance(held, dict):
        return max(map(_values, held.values()), default=0)
    if isinstance(held, tuple):
        return max(map(_values, held), default=0)
    return sum(map(_values, held)) if isinstance(held, list) else 0


def _watched(
    mode: TorchDispatchMode, counter: MacCounter | None, func: Any, args: Sequence[Any], kwargs: Any
) -> Any:
    """Run an operator and count it; one that consists of others is taken apart first.

    Under inference_mode and below autograd, torch hands such operators over whole: `matmul` as
    itself, not as the `mm` that it becomes.
    """
    if isinstance(func, _Overload) and func._schema.name not in _FORMULAS:
        with mode:
            out = func.decompose(*args, **kwargs)
        if out is not NotImplemented:
            return out
    out = func(*args, **kwargs)
    if counter is not None:
        counter.count(func, args, kwargs, out)
    return out


class _Relay(_Mode):
    """Hands what one thread does to the counter that is active, if any."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return _watched(self, _active[0], func, args, kwargs or {})


_active: list[MacCounter | None] = [None]
_SWITCHES: Final[Sequence[tuple[Any, str]]] = (
    (torch._C, "_DisableTorchDispatch"),
    (torch._C, "_ExcludeDispatchKeyGuard"),
    (_python_dispatch, "_disable_current_modes"),
    (torch._ops.OpOverload, "redispatch"),
)


def count_in_new_threads() -> None:
    """Watch every thread started from now on: dispatch modes hold for one thread only.

    Called before the entry runs, which could otherwise do its products in a worker thread.
    """
    for name in ("start_new_thread", "start_joinable_thread"):
        if hasattr(_thread, name):
            watched = _start_watched(getattr(_thread, name))
            setattr(_thread, name, watched)
            setattr(threading, f"_{name}", watched)


def _start_watched(start: Callable[..., Any]) -> Callable[..., Any]:
    def start_watched(function: Callable[..., object], *rest: Any, **options: Any) -> Any:
        def watched(*args: Any, **kwargs: Any) -> object:
            with _Relay():
                return function(*args, **kwargs)

        return start(watched, *rest, **options)

    return start_watched


def name_ways_around() -> None:
    """Let torch's private switches that turn dispatch modes off be named, when they are used while counting."""
    for holder, name in _SWITCHES:
        setattr(holder, name, _named(getattr(holder, name), name))


def _named(switch: Callable[..., Any], name: str) -> Callable[..., Any]:
    def used(*args: Any, **kwargs: Any) -> Any:
        counter = _active[0]
        if counter is not None:
            counter.note(f"torch.{name}")
        return switch(*args, **kwargs)

    return used


@contextmanager
def spelled_out() -> Iterator[None]:
    """Make torch run attention as the products it consists of, not as one fused operator."""
    _set_fast_path(value=False)
    try:
        with _attention_kernels(_math):
            yield
    finally:
        _set_fast_path(value=True)


def count(forward: Callable[[], object], samples: int = 1, *, most: int | None = None) -> MacCounter:
    """Run `forward`, which takes so many samples, once and return the counter; raise `TooMuch` beyond `most`."""
    counter = MacCounter(samples, most)
    _active[0] = counter
    try:
        with torch.no_grad(), spelled_out(), counter:
            forward()
    finally:
        _active[0] = None
    return counter
