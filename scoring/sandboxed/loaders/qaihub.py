"""Loads a qaihub package: imports its model.py over our base classes and builds `from_pretrained()`.

The model is run as it would be compiled: at exactly the input that `get_input_spec()` states.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import nn

from scoring.contracts import Request, ai_hub
from scoring.sandboxed import downloads, qaihub
from scoring.sandboxed.inputs import Pixels
from scoring.sandboxed.loaders.own_modules import put_first
from scoring.sandboxed.loaders.qaihub_contract import check_model, only_model, without_effect
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.qaihub.base_model import BaseModel
from scoring.sandboxed.refusal import load_failed
from scoring.sandboxed.settle import seed_all, settle_torch
from scoring.sandboxed.torchvision_ops import declare_missing_operators

LIBRARY: Final = qaihub.modules()
MAX_QUOTED_CHARACTERS: Final = 350
MAX_MESSAGE_CHARACTERS: Final = 100


class QaihubEntry(TorchEntry):
    """A model that takes one sample at a time, as devices do."""

    def prepare(self, pixels: Pixels) -> None:
        """Start from seeded generators; the memory format stays the one that would be compiled."""
        seed_all(self._request.seed)

    def predict(self, pixels: Pixels) -> NDArray[np.float32]:
        """Run the samples one by one and check what comes back for each."""
        places = range(len(pixels))
        return np.concatenate([super(QaihubEntry, self).predict(pixels[at : at + 1]) for at in places])


def load(package: Path, request: Request) -> QaihubEntry:
    """Import the package's model.py and build its model, ready to predict."""
    settle_torch(request.threads)
    declare_missing_operators()
    seed_all(request.seed)
    downloads.from_folder((package / request.main).parent)
    model_class = import_class(package / request.main, str(request.options["model_id"]))

    def build() -> nn.Module:
        return _build(model_class, request)

    entry = QaihubEntry(build, request, output_of=only_one)
    entry.fixed_batch = 1
    names = without_effect(model_class)
    if names:
        entry.warnings.append({"code": "options_without_effect", "facts": {"names": ", ".join(names)}})
    return entry


def only_one(answer: Any) -> Any:
    """Return what a tuple or list of one holds; anything else as it is."""
    return answer[0] if isinstance(answer, tuple | list) and len(answer) == 1 else answer


def import_class(path: Path, model_id: str) -> type[BaseModel]:
    """Import the file as a part of the library, and return the one model that it defines."""
    return _model_class(_import_model(path, model_id))


def _import_model(path: Path, model_id: str) -> ModuleType:
    sys.dont_write_bytecode = True
    # Siblings may be imported plainly, relatively, or by their name in the library.
    put_first(path.parent)
    sys.argv = [str(path)]
    name = f"{qaihub.register(LIBRARY, model_id, path.parent)}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise load_failed(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = sys.modules[path.stem] = module
    with _told_imports(model_id):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _told_imports(model_id: str) -> Iterator[None]:
    """Say of an import of the library that fails what is provided instead; other imports speak for themselves."""
    try:
        yield
    except ImportError as exc:
        why = _missing(exc, model_id)
        if why is None:
            raise
        raise load_failed(why[:MAX_QUOTED_CHARACTERS]) from exc


def _missing(exc: ImportError, model_id: str) -> str | None:
    """Say what of the library is not provided, a module or a name in one; None for other imports."""
    module = exc.name or ""
    if module.partition(".")[0] == ai_hub.LIBRARY:
        return f"{exc.msg[:MAX_MESSAGE_CHARACTERS]}: {ai_hub.advice(module, model_id)}"
    for theirs, ours in qaihub.MODULES.items():
        if module == f"{qaihub.__name__}.{ours}":
            name = exc.msg.partition(" from ")[0][:MAX_MESSAGE_CHARACTERS]
            return f"{name} from {theirs}: {ai_hub.advice(f'{theirs}.', model_id)}"
    return None


def _model_class(module: ModuleType) -> type[BaseModel]:
    # One class may have two names.
    values = {id(value): value for value in vars(module).values()}.values()
    classes = [value for value in values if isinstance(value, type) and value.__module__ == module.__name__]
    return only_model([found for found in classes if issubclass(found, BaseModel)])


def _build(model_class: type[BaseModel], request: Request) -> nn.Module:
    seed_all(request.seed)
    with _told_imports(str(request.options["model_id"])):
        model = check_model(model_class.from_pretrained(), model_class, request.input)
    settle_torch(request.threads)
    return model.to("cpu").float().eval()
