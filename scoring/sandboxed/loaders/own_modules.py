"""Lets the modules that a package brings be its own, whatever of the same name is loaded already.

Counters and loaders import a good part of Python's library and of the installed packages before the
entry. A package with a `timm` or `utils` of its own would get what they loaded, and something else in
a run that loads less. So it gets what Python would find with the package's folder first on its path;
our own code keeps what it holds.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Final

# What our code and the entry's hand to one another. Their compiled parts import more of them as they run,
# and can be loaded only once.
_SHARED: Final = frozenset({"__main__", "numpy", "torch"})


def put_first(folder: Path) -> None:
    """Put the folder first on the path, and forget every loaded module that it has its own of."""
    sys.path.insert(0, str(folder))
    present = {path.name.partition(".")[0] for path in folder.iterdir()}
    loaded = {name.partition(".")[0] for name in sys.modules} - _SHARED
    for name in present & loaded:
        if _is_found_in(folder, name):
            _forget(name)


def _is_found_in(folder: Path, name: str) -> bool:
    """Say whether an import would find the module in the folder; builtin and frozen ones come first."""
    specs = (_spec(finder, name) for finder in sys.meta_path)
    spec = next((spec for spec in specs if spec is not None), None)
    # A folder without __init__.py has no origin, and gives way to any module on the path itself.
    return spec is not None and spec.origin is not None and Path(spec.origin).is_relative_to(folder)


def _spec(finder: object, name: str) -> ModuleSpec | None:
    find = getattr(finder, "find_spec", None)
    return find(name, None) if find is not None else None


def _forget(name: str) -> None:
    for loaded in list(sys.modules):
        if loaded == name or loaded.startswith(f"{name}."):
            del sys.modules[loaded]
