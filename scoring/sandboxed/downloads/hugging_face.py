"""Lets huggingface_hub hand out files of a source, from when it is imported."""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from scoring.sandboxed.downloads.source import Brought, Source
from scoring.sandboxed.missing import NotBrought

COMMIT: Final = "0" * 40
"""What stands for the one state that an entry brings of a repository."""
MODULE: Final = "huggingface_hub.file_download"
"""Where it downloads one file; whatever else of it, and of timm and transformers, does so through that."""


def replace(source: Source) -> None:
    """Replace its download of a file, now if it is loaded, else once it is."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    if MODULE in sys.modules:
        _replace_in(sys.modules[MODULE], source)
    else:
        sys.meta_path.insert(0, _Finder(source))


class _Finder(MetaPathFinder):
    """Finds that one module as Python does, and has it changed once it is loaded."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return Python's spec of the module."""
        if fullname != MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._source)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Any, source: Source) -> None:
        self._loader = loader
        self._source = source

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _replace_in(module, self._source)


def _linked(found: Path, module: Any, repo_id: str, filename: str, asked: Mapping[str, Any]) -> Path:
    """Link the file to where the library keeps what it downloads: transformers asks for it there afterwards."""
    name = module.repo_folder_name(repo_id=repo_id, repo_type=asked.get("repo_type") or "model")
    folder = Path(asked.get("cache_dir") or module.constants.HF_HUB_CACHE) / name
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / (asked.get("revision") or "main")).write_text(COMMIT)
    place = folder / "snapshots" / COMMIT / filename
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(found)
    return place


def _replace_in(module: Any, source: Source) -> None:
    original = module.hf_hub_download
    not_found = module.LocalEntryNotFoundError

    class NotInEntry(not_found, NotBrought):  # type: ignore[misc,valid-type]  # the library's own class, for its callers
        """What callers expect where there is no network, and try other names after."""

        def __init__(self, asked: str) -> None:
            NotBrought.__init__(self, asked)

    @functools.wraps(original)
    def hf_hub_download(repo_id: str, filename: str, *args: Any, **kwargs: Any) -> str:
        inside = "/".join(part for part in (repo_id, kwargs.get("subfolder"), filename) if part)

        def download(to: Path) -> None:
            shutil.copyfile(original(repo_id, filename, *args, **kwargs), to)

        try:
            found = source.get(inside, download)
        except NotBrought as exc:
            raise NotInEntry(exc.asked) from exc
        if not isinstance(source, Brought):
            return str(found)
        return str(_linked(found, module, repo_id, inside.removeprefix(f"{repo_id}/"), kwargs))

    module.hf_hub_download = hf_hub_download
