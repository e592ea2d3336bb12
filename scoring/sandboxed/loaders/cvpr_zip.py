"""Loads a cvpr-zip: imports model.py, which may import its siblings, and builds `Model().float()`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from torch import nn

from scoring.contracts import Request
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.refusal import load_failed
from scoring.sandboxed.settle import seed_all, settle_torch
from scoring.sandboxed.torchvision_ops import declare_missing_operators


def load(package: Path, request: Request) -> TorchEntry:
    """Import the package's model.py and build its model, ready to predict."""
    settle_torch(request.threads)
    declare_missing_operators()
    seed_all(request.seed)
    module = _import_model(package / request.main)

    def build() -> nn.Module:
        return _build(module, request)

    return TorchEntry(build, request)


def _import_model(path: Path) -> ModuleType:
    # The package is mounted read-only; a sibling may be imported by its plain name.
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    spec = importlib.util.spec_from_file_location("model", path)
    if spec is None or spec.loader is None:
        raise load_failed(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Registered under the plain name, so that `import model` and pickled classes find it.
    sys.modules["model"] = module
    spec.loader.exec_module(module)
    return module


def _build(module: ModuleType, request: Request) -> nn.Module:
    factory = getattr(module, "Model", None)
    if not callable(factory):
        raise load_failed("model.py defines no class Model")
    seed_all(request.seed)
    model = factory()
    if not isinstance(model, nn.Module):
        raise load_failed(f"Model() is a {type(model).__name__}, not a torch.nn.Module")
    model = model.float().eval()
    settle_torch(request.threads)
    return model
