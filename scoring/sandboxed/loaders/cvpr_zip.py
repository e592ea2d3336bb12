"""Loads a cvpr-zip: imports model.py, which may import its siblings, and builds `Model().float()`."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from torch import nn

from scoring.contracts import Request
from scoring.sandboxed.loaders.model_file import import_main
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.refusal import load_failed
from scoring.sandboxed.settle import seed_all, settle_torch


def load(package: Path, request: Request) -> TorchEntry:
    """Import the package's model.py and build its model, ready to predict."""
    module = import_main(package, request)

    def build() -> nn.Module:
        return _build(module, request)

    return TorchEntry(build, request)


def _build(module: ModuleType, request: Request) -> nn.Module:
    factory = getattr(module, "Model", None)
    if not callable(factory):
        raise load_failed("model.py does not define class Model")
    seed_all(request.seed)
    model = factory()
    if not isinstance(model, nn.Module):
        raise load_failed(f"Model() is a {type(model).__name__}, not a torch.nn.Module")
    model = model.float().eval()
    settle_torch(request.threads)
    return model
