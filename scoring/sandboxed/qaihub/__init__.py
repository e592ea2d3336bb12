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

from scoring.contracts.ai_hub import LIBRARY, MODELS
from scoring.sandboxed.qaihub.external_repo import find_clones
from scoring.sandboxed.qaihub.named_only import let_be_named

MODULES: Final = {
    LIBRARY: "common",
    f"{LIBRARY}.utils.base_model": "base_model",
    f"{LIBRARY}.utils.base_collection_model": "base_collection_model",
    f"{LIBRARY}.utils.input_spec": "input_spec",
    f"{LIBRARY}.configs.tensor_spec": "tensor_spec",
    f"{LIBRARY}.utils.image_processing": "image_processing",
    f"{LIBRARY}.utils.asset_loaders": "asset_loaders",
    f"{LIBRARY}.utils.external_repo": "external_repo",
    f"{LIBRARY}.utils.base_evaluator": "base_evaluators",
    f"{LIBRARY}.evaluators.base_evaluators": "base_evaluators",
    f"{LIBRARY}.evaluators.classification_evaluator": "classification_evaluator",
    f"{LIBRARY}.evaluators.segmentation_evaluator": "segmentation_evaluator",
    f"{LIBRARY}.models.common": "common",
    f"{MODELS}._shared.imagenet_classifier.model": "imagenet_classifier",
    f"{MODELS}._shared.common": "replacing",
    f"{MODELS}._shared.swin.swin_transformer": "swin_transformer",
    f"{MODELS}.templates.imagenet_classifier.model": "imagenet_classifier",
    f"{MODELS}.templates.imagenet_classifier.classification_evaluator": "classification_evaluator",
    f"{MODELS}.templates.common": "replacing",
    f"{MODELS}.templates.swin.swin_transformer": "swin_transformer",
}


def modules() -> dict[str, ModuleType]:
    """Return our modules by the library's names; an entry may have a package of our own's name later."""
    return {name: import_module(f"{__name__}.{ours}") for name, ours in MODULES.items()}


def register(library: Mapping[str, ModuleType], model_id: str, folder: Path) -> str:
    """Make the library's names importable and the entry a package among its models; return its name.

    A copy of the library that is installed stays out of it: entries run alike everywhere. What the entry
    brings of the library, in a folder of its name, is found where we have nothing.
    """
    for name in library:
        _make_parents(name, folder)
    for name, module in library.items():
        if name in sys.modules and hasattr(sys.modules[name], "__path__"):
            vars(sys.modules[name]).update({each: getattr(module, each) for each in module.__all__})
        else:
            _add(name, module)
    package = f"{MODELS}.{model_id}"
    _add(package, _package(package, folder))
    find_clones()
    let_be_named()
    return package


def _make_parents(name: str, folder: Path) -> None:
    parts = name.split(".")
    for length in range(1, len(parts)):
        parent = ".".join(parts[:length])
        if not isinstance(sys.modules.get(parent), _Package):
            _add(parent, _package(parent, folder.joinpath(*parts[:length])))


class _Package(ModuleType):
    """A package of ours."""


def _package(name: str, *folders: Path) -> ModuleType:
    package = _Package(name)
    package.__path__ = [str(folder) for folder in folders]
    return package


def _add(name: str, module: ModuleType) -> None:
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
