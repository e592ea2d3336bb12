"""Imports a package's Python file, which may import its siblings; shared by all formats with code."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from scoring.contracts import Request
from scoring.sandboxed import downloads
from scoring.sandboxed.loaders.own_modules import put_first
from scoring.sandboxed.refusal import load_failed
from scoring.sandboxed.settle import seed_all, settle_torch
from scoring.sandboxed.torchvision_ops import declare_missing_operators


def import_main(package: Path, request: Request) -> ModuleType:
    """Settle torch, then import the package's main file under the plain name `model`."""
    settle_torch(request.threads)
    declare_missing_operators()
    seed_all(request.seed)
    downloads.from_folder((package / request.main).parent)
    return import_file(package / request.main)


def import_file(path: Path) -> ModuleType:
    """Import the file under the plain name `model`."""
    # The package is mounted read-only; a sibling may be imported by its plain name.
    sys.dont_write_bytecode = True
    put_first(path.parent)
    sys.argv = [str(path)]
    spec = importlib.util.spec_from_file_location("model", path)
    if spec is None or spec.loader is None:
        raise load_failed(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Registered under the plain name, so that `import model` and pickled classes find it.
    sys.modules["model"] = module
    spec.loader.exec_module(module)
    return module
