"""Repositories that models are built from: in the library they are cloned, here the entry brings their clones.

The library writes a module `external_repos` into each model's folder, which clones as it is imported.
Ours stands in its place: a package of the clones that are there.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from scoring.contracts.ai_hub import MODELS, REPOSITORIES
from scoring.sandboxed.downloads import NotBrought

__all__ = ["IS_PIP_PACKAGE", "setup_external_repos"]

IS_PIP_PACKAGE = False


class Clones(dict[str, Path]):
    """The folders of clones, by the repositories' names."""

    def __missing__(self, name: str) -> Path:
        """Say that the entry lacks it."""
        raise NotBrought(f"{REPOSITORIES}/{name}")


def setup_external_repos(recipe_dir: Path) -> Clones:
    """Return the clones below a model's folder."""
    folder = Path(recipe_dir) / REPOSITORIES
    return Clones({path.name: path for path in sorted(folder.iterdir()) if path.is_dir()})


class Finder(MetaPathFinder, Loader):
    """Finds the library's modules `external_repos` before Python does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for such a module below a folder that has one."""
        if not fullname.startswith(f"{MODELS}.") or not fullname.endswith(f".{REPOSITORIES}"):
            return None
        folder = next((place for place in map(Path, path or ()) if (place / REPOSITORIES).is_dir()), None)
        if folder is None:
            return None
        spec = ModuleSpec(fullname, self, is_package=True)
        spec.submodule_search_locations = [str(folder / REPOSITORIES)]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Tell the clones, and let their files import each other from their roots, as they are written."""
        clones = setup_external_repos(Path(module.__path__[0]).parent)
        module.EXTERNAL_REPO_PATHS = clones  # type: ignore[attr-defined]  # what model.py reads
        sys.path.extend(str(path) for path in clones.values())


def find_clones() -> None:
    """Let clones be found that the entry brings."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
