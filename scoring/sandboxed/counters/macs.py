"""Runs the three counters on one model; any of them may fail without failing the others.

Imported before the entry is, so that all of them are bound to what torch, ptflops and fvcore were
before the entry could replace anything in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from scoring.contracts import Task
from scoring.sandboxed.counters import by_module, by_trace, dispatch
from scoring.sandboxed.counters.unseen_ops import refuse_unseen
from scoring.sandboxed.failures import attempt

# Neither ptflops nor fvcore can hook into TorchScript; what it runs passes the dispatcher all the same.
_Script = torch.jit.ScriptModule
_by_dispatch, _by_module, _by_trace, _attempt = dispatch.count, by_module.count, by_trace.count, attempt


@dataclass(frozen=True)
class MacCounts:
    """MACs of one sample by counter, None where one failed, and operators that none could count.

    A counter that does not apply to the model is not among them: nothing failed.
    """

    by_counter: dict[str, int | None]
    uncounted_ops: tuple[str, ...]


NO_COUNTS = MacCounts({"dispatch": None, "ptflops": None, "fvcore": None}, ())


def prepare_counters() -> None:
    """Set the counters up; called before the entry is loaded."""
    dispatch.count_in_new_threads()
    dispatch.name_ways_around()
    by_module.prepare()
    refuse_unseen()


def count_macs(module: nn.Module, batches: Sequence[torch.Tensor]) -> MacCounts:
    """Count on small batches of equal size: the dispatch counter takes the dearest of them.

    A model that leaves early on an easy sample is measured on the hard ones too.
    """
    size = len(batches[0])
    counters = [counter for batch in batches if (counter := _dispatched(module, batch)) is not None]
    dispatched = max(counter.macs for counter in counters) // size if counters else None
    return MacCounts(
        by_counter={"dispatch": dispatched, **_hooked(module, batches[0])},
        uncounted_ops=tuple(sorted({name for counter in counters for name in counter.uncounted})),
    )


def _hooked(module: nn.Module, batch: torch.Tensor) -> dict[str, int | None]:
    """Count by the two counters that hook into a module's code."""
    if isinstance(module, _Script):
        return {}
    found = {
        "ptflops": _attempt(lambda: _by_module(module, batch), Task.MEASURE),
        "fvcore": _attempt(lambda: _by_trace(module, batch), Task.MEASURE),
    }
    return {name: None if macs is None else macs // len(batch) for name, macs in found.items()}


def _dispatched(module: nn.Module, batch: torch.Tensor) -> dispatch.MacCounter | None:
    return _attempt(lambda: _by_dispatch(lambda: module(batch.clone()), len(batch)), Task.MEASURE)
