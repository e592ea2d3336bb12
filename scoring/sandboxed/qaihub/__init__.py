"""What model folders of AI Hub Models import, written anew from its documented interface.

Only what is needed to load and run a model: no downloads, no jobs on devices, no command lines.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from scoring.contracts.ai_hub import LIBRARY

MODULES: Final = {
    f"{LIBRARY}.utils.base_model": "base_model",
    f"{LIBRARY}.utils.input_spec": "input_spec",
    f"{LIBRARY}.utils.image_processing": "image_processing",
    f"{LIBRARY}.evaluators.base_evaluators": "base_evaluators",
    f"{LIBRARY}.evaluators.classification_evaluator": "classification_evaluator",
    f"{LIBRARY}.evaluators.segmentation_evaluator": "segmentation_evaluator",
    f"{LIBRARY}.models.common": "common",
    f"{LIBRARY}.models._shared.imagenet_classifier.model": "imagenet_classifier",
}


def modules() -> dict[str, ModuleType]:
    """Return our modules by the library's names; an entry may have a package of our own's name later."""
    return {name: import_module(f"{__name__}.{ours}") for name, ours in MODULES.items()}


def register(library: Mapping[str, ModuleType], model_id: str, folder: Path) -> str:
    """Make the library's names importable and the entry a package among its models; return its name.

    A copy of the library that is installed stays out of it: entries run alike everywhere.
    """
    for name, module in library.items():
        _make_parents(name)
        _add(name, module)
    package = f"{LIBRARY}.models.{model_id}"
    _add(package, _package(package, str(folder)))
    return package


def _make_parents(name: str) -> None:
    parts = name.split(".")
    for length in range(1, len(parts)):
        parent = ".".join(parts[:length])
        if parent not in sys.modules or getattr(sys.modules[parent], "__path__", None) != []:
            _add(parent, _package(parent))


def _package(name: str, *folders: str) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = list(folders)
    return package


def _add(name: str, module: ModuleType) -> None:
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
