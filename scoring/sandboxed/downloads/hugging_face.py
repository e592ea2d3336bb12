"""Lets huggingface_hub hand out files and repositories of a source, from when it is imported."""

from __future__ import annotations

import functools
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from scoring.sandboxed.downloads.source import Brought, Source
from scoring.sandboxed.missing import NotBrought

COMMIT: Final = "0" * 40
"""What stands for the one state that an entry brings of a repository."""


def replace(source: Source) -> None:
    """Replace its downloads, now if they are loaded, else once they are."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name, change in CHANGED.items():
        if name in sys.modules:
            change(sys.modules[name], source)
    sys.meta_path.insert(0, _Finder(source))


class _Finder(MetaPathFinder):
    """Finds those modules as Python does, and has them changed once they are loaded."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return Python's spec of the module."""
        if fullname not in CHANGED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._source, CHANGED[fullname])
        return spec


class _Loader(Loader):
    def __init__(self, loader: Any, source: Source, change: Callable[[Any, Source], None]) -> None:
        self._loader = loader
        self._source = source
        self._change = change

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._change(module, self._source)


def _place(module: Any, repo_id: str, asked: Mapping[str, Any]) -> Path:
    """Return the folder where the library keeps a repository that it downloads: it is looked for there afterwards."""
    name = module.repo_folder_name(repo_id=repo_id, repo_type=asked.get("repo_type") or "model")
    folder = Path(asked.get("cache_dir") or module.constants.HF_HUB_CACHE) / name
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / (asked.get("revision") or "main")).write_text(COMMIT)
    return folder / "snapshots" / COMMIT


def _linked(found: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(found)
    return place


def _not_in_entry(module: Any, exc: NotBrought) -> Exception:
    """Return what callers expect where there is no network, and try other names after."""
    not_found = module.LocalEntryNotFoundError

    class NotInEntry(not_found, NotBrought):  # type: ignore[misc,valid-type]  # the library's own class, for its callers
        """What the entry does not hold, in the library's words."""

        def __init__(self, asked: str) -> None:
            NotBrought.__init__(self, asked)

    return NotInEntry(exc.asked)


def _replace_file(module: Any, source: Source) -> None:
    original = module.hf_hub_download

    @functools.wraps(original)
    def hf_hub_download(repo_id: str, filename: str, *args: Any, **kwargs: Any) -> str:
        inside = "/".join(part for part in (repo_id, kwargs.get("subfolder"), filename) if part)

        def download(to: Path) -> None:
            shutil.copyfile(original(repo_id, filename, *args, **kwargs), to)

        try:
            found = source.get(inside, download)
        except NotBrought as exc:
            raise _not_in_entry(module, exc) from exc
        if not isinstance(source, Brought):
            return str(found)
        return str(_linked(found, _place(module, repo_id, kwargs) / inside.removeprefix(f"{repo_id}/")))

    module.hf_hub_download = hf_hub_download


def _replace_snapshot(module: Any, source: Source) -> None:
    original = module.snapshot_download

    @functools.wraps(original)
    def snapshot_download(repo_id: str, **kwargs: Any) -> str:
        try:
            found = source.snapshot(repo_id, lambda: str(original(repo_id, **{**kwargs, "local_dir": None})))
        except NotBrought as exc:
            raise _not_in_entry(module, exc) from exc
        local = kwargs.get("local_dir")
        if not isinstance(source, Brought) and local is None:
            return str(found)
        files = [path.relative_to(found).as_posix() for path in sorted(found.rglob("*")) if path.is_file()]
        patterns = {name: kwargs.get(name) for name in ("allow_patterns", "ignore_patterns")}
        place = Path(local).absolute() if local is not None else _place(module, repo_id, kwargs)
        for name in module.filter_repo_objects(files, **patterns):
            if (found / name) != place / name:
                _linked(found / name, place / name)
        return str(place)

    module.snapshot_download = snapshot_download


CHANGED: Final[Mapping[str, Callable[[Any, Source], None]]] = {
    "huggingface_hub.file_download": _replace_file,
    "huggingface_hub._snapshot_download": _replace_snapshot,
}
"""Where it downloads a file, and a whole repository; all else of it, and timm and transformers, do so there."""
