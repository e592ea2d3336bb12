"""Where a module that an entry imports would come from; looks for files and imports nothing."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

STANDARD: Final = sys.stdlib_module_names


def is_sibling(name: str, root: Path) -> bool:
    """Say whether the top-level name is a file or folder of the package."""
    return (root / f"{name}.py").is_file() or (root / name).is_dir()


def is_there(name: str) -> bool:
    """Say whether entries run with the module of that top-level name."""
    return name in STANDARD or PathFinder.find_spec(name) is not None
