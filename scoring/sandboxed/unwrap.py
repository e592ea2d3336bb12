"""Takes off what an entry's modules are wrapped in, so that the model itself is counted, captured and run.

Wrappers change how a model runs and not what it answers: a compiler that takes minutes for two
batches, copies for processors that are not there, a weight computed anew for each sample from
others that do not change.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from torch import nn
from torch.nn.utils import parametrize

# Where each kind of wrapper keeps the module; by name, since importing torch's compiler takes a second.
_INSIDE: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("torch._dynamo.eval_frame", "OptimizedModule"): "_orig_mod",
        ("torch.nn.parallel.data_parallel", "DataParallel"): "module",
        ("torch.nn.parallel.distributed", "DistributedDataParallel"): "module",
        ("torch.optim.swa_utils", "AveragedModel"): "module",
    }
)
_is_parametrised, _settle = parametrize.is_parametrized, parametrize.remove_parametrizations


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the module without wrappers around it or any of its parts; the parts change in place.

    Parametrised weights become plain ones of the values that they have now. What does not come off
    stays as it is: it is counted and run like any other code.
    """
    kernel = _kernel(module)
    for part in list(kernel.modules()):
        _unwrap_children(part)
    for part in list(kernel.modules()):
        _settle_weights(part)
        if getattr(part, "_compiled_call_impl", None) is not None:
            part._compiled_call_impl = None
    return kernel


def _kernel(module: nn.Module) -> nn.Module:
    seen: set[int] = set()
    while id(module) not in seen:
        seen.add(id(module))
        place = next((name for kind, name in _wrappers() if type(module) is kind), None)
        if place is None:
            # TorchScript's modules are in no dict that could be asked.
            return module
        inside = vars(module).get("_modules", {}).get(place)
        if isinstance(inside, nn.Module):
            module = inside
    return module


def _wrappers() -> list[tuple[Any, str]]:
    """Return the kinds of wrappers that are loaded, and where each keeps its module."""
    return [
        (getattr(sys.modules[module], kind, None), place)
        for (module, kind), place in _INSIDE.items()
        if module in sys.modules
    ]


def _unwrap_children(part: nn.Module) -> None:
    children = vars(part).get("_modules", {})
    for name, child in list(children.items()):
        kernel = child if child is None else _kernel(child)
        if kernel is not child:
            children[name] = kernel


def _settle_weights(part: nn.Module) -> None:
    if not _is_parametrised(part):
        return
    for name in list(part.parametrizations):  # type: ignore[arg-type]  # a ModuleDict
        _try(partial(_settle, part, name, leave_parametrized=True))


def _try(change: Callable[[], object]) -> None:
    try:
        change()
    except (RuntimeError, ValueError, AttributeError, NotImplementedError, AssertionError):
        # A parametrisation whose values no plain tensor can take; it runs as it is.
        return
