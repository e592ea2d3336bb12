"""Imports packages without what they would bring along: seconds of start, and modules that are the entry's own.

A package that is imported before the entry, and imports timm, decides which timm the entry gets.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Let imports of these packages raise ImportError meanwhile, whether they are installed or loaded."""
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in packages}
    sys.modules.update(dict.fromkeys(packages))  # type: ignore[arg-type]  # None is how Python says: not there
    try:
        yield
    finally:
        for name in packages:
            del sys.modules[name]
        sys.modules.update(hidden)
