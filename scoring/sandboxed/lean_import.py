"""Imports packages without what they would bring along: seconds of start, and modules that are the entry's own.

A package that is imported before the entry, and imports timm, decides which timm the entry gets.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


@contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Let imports of these packages raise ImportError meanwhile, whether they are installed or loaded."""
    inside = [name for name in sys.modules if name.partition(".")[0] in packages]
    # None is how Python says: not there.
    with _replaced({**dict.fromkeys(inside), **dict.fromkeys(packages)}):
        yield


@contextmanager
def hollow(*modules: str) -> Iterator[None]:
    """Let these modules be empty meanwhile; what a package consists of can still be imported from it."""
    with _replaced({name: _empty(name) for name in modules}):
        yield


def _empty(name: str) -> ModuleType:
    module = ModuleType(name)
    top, *inner = name.split(".")
    # A part is not asked where it is: that would import all of the package above it.
    spec = find_spec(top)
    folders = [] if spec is None else spec.submodule_search_locations or []
    paths = [str(path) for folder in folders if (path := Path(folder, *inner)).is_dir()]
    if paths:
        module.__path__ = paths
    return module


@contextmanager
def _replaced(others: Mapping[str, ModuleType | None]) -> Iterator[None]:
    before = {name: sys.modules[name] for name in others if name in sys.modules}
    sys.modules.update(others)  # type: ignore[arg-type]  # None is what Python itself puts there
    try:
        yield
    finally:
        for name in others:
            del sys.modules[name]
        sys.modules.update(before)
