"""Loads a gasbench package: imports model.py and calls `load_model(weights_path, **arguments)` once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import torch
from torch import nn

from scoring.contracts import Request
from scoring.sandboxed.loaders.model_file import import_main
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.refusal import load_failed
from scoring.sandboxed.settle import seed_all, settle_torch

DTYPES: Final = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def load(package: Path, request: Request) -> TorchEntry:
    """Import the package's model.py and build its model, ready to predict."""
    module = import_main(package, request)

    def build() -> nn.Module:
        return _build(module, package, request)

    return TorchEntry(build, request, output_of=logits_of)


def logits_of(answer: Any) -> Any:
    """Return the tensor in what gasbench lets a model answer with; anything else as it is.

    A tensor, an object with `.logits`, a dict with "logits", "output" or a single value, a tuple or list
    of one. Logits of one step (N, 1, classes) are those of the sample.
    """
    found = _found(answer)
    is_of_one_step = isinstance(found, torch.Tensor) and found.ndim == 3 and found.shape[1] == 1
    return found.squeeze(1) if is_of_one_step else found


def _found(answer: Any) -> Any:
    if isinstance(answer, torch.Tensor):
        return answer
    if hasattr(answer, "logits"):
        return answer.logits
    if isinstance(answer, Mapping):
        named = [answer[name] for name in ("logits", "output") if name in answer]
        values = named[:1] or list(answer.values())
        return values[0] if len(values) == 1 else answer
    if isinstance(answer, tuple | list) and len(answer) == 1:
        return answer[0]
    return answer


def _build(module: ModuleType, package: Path, request: Request) -> nn.Module:
    options: Any = request.options
    load_model = getattr(module, "load_model", None)
    if not callable(load_model):
        raise load_failed("model.py does not define load_model")
    weights, arguments = str(package / options["weights_file"]), dict(options["arguments"])
    _check_call(load_model, weights, arguments)
    seed_all(request.seed)
    model = load_model(weights, **arguments)
    if not isinstance(model, nn.Module):
        raise load_failed(f"load_model() returned a {type(model).__name__}, not a torch.nn.Module")
    model = model.to(DTYPES[options["dtype"]]).eval()
    settle_torch(request.threads)
    return model


def _check_call(load_model: Callable[..., Any], weights: str, arguments: Mapping[str, Any]) -> None:
    """Refuse a call that cannot fit: a TypeError from inside `load_model` is another matter."""
    signature = inspect.signature(load_model)
    try:
        signature.bind(weights, **arguments)
    except TypeError as exc:
        raise load_failed(f"load_model{signature} cannot be called with model_config.yaml: {exc}") from exc
