"""Copies into a folder what its model imports of AI Hub Models and Podium does not provide, from this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final, cast

import yaml

from scoring.contracts.ai_hub import LIBRARY, MODELS, REPOSITORIES
from scoring.sandboxed.downloads import install_source
from scoring.sandboxed.gather.fetched import Fetched

MANIFESTS: Final = ("manifest.yaml", "info.yaml")


def let_be_copied(folder: Path, model_id: str) -> None:
    """Bring the clones that the folder's manifest names, and whatever of the library is imported from now on."""
    bring_clones(folder, folder)
    sys.meta_path.append(_Finder(folder, f"{MODELS}.{model_id}"))


def bring_clones(described: Path, place: Path) -> None:
    """Clone each repository that a folder's manifest names, unless its clone is there."""
    manifest = next((described / name for name in MANIFESTS if (described / name).is_file()), None)
    named = (
        None if manifest is None else (yaml.safe_load(manifest.read_text("utf-8")) or {}).get(REPOSITORIES)
    )
    for name, stated in (named or {}).items():
        clone = place / REPOSITORIES / name
        if not clone.is_dir():
            patch = stated.get("patches_filename")
            cast(Fetched, install_source()).bring_clone(
                stated["repo_url"],
                stated["commit_sha"],
                clone,
                patch=described / REPOSITORIES / patch if patch else None,
            )


class _Finder(MetaPathFinder):
    """Finds parts of the library's models that nothing else finds, in its copy on this machine."""

    def __init__(self, folder: Path, own: str) -> None:
        self._folder = folder
        self._own = own

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a copy of the module."""
        if not fullname.startswith(f"{MODELS}.") or fullname.startswith(self._own):
            return None
        inside = Path(*fullname.split("."))
        for root in _copies():
            for file in (inside / "__init__.py", inside.with_suffix(".py")):
                if (root / file).is_file():
                    return self._copied(fullname, root, file)
            if (root / inside).is_dir():
                return self._without_file(fullname, inside)
        return None

    def _without_file(self, fullname: str, inside: Path) -> ModuleSpec:
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(self._folder / inside)]
        return spec

    def _copied(self, fullname: str, root: Path, file: Path) -> ModuleSpec | None:
        place = self._folder / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((root / file).read_bytes())
        source = cast(Fetched, install_source())
        source.kept[fullname] = file.as_posix()
        if file.name == "__init__.py":
            (place.parent / REPOSITORIES).mkdir(exist_ok=True)
            bring_clones(root / file.parent, place.parent)
        return spec_from_file_location(fullname, place)


def _copies() -> Iterator[Path]:
    """Yield the folders that hold a copy of the library, as Python would look for it."""
    spec = PathFinder.find_spec(LIBRARY)
    if spec is not None and spec.submodule_search_locations is not None:
        yield from (Path(place).parent for place in spec.submodule_search_locations)
