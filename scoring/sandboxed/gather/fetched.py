"""A source that fetches what a folder lacks, and keeps it there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from scoring.contracts.ai_hub import REPOSITORIES
from scoring.sandboxed.downloads import Brought, NotBrought, repository_name
from scoring.sandboxed.downloads.source import WHOLE, Download

WEIGHTS: Final = "weights"
PARTIAL: Final = ".partial"
MAX_CLONED_BYTES: Final = 2**20
"""Of a clone, larger files are pictures and data: what is imported is text."""


@dataclass
class Fetched:
    """The folder's own files first, then those that caches of this machine hold, then the network's."""

    root: Path
    caches: tuple[Path, ...] = ()
    kept: dict[str, str] = field(default_factory=dict)
    cloned: list[Path] = field(default_factory=list)
    is_fetching: bool = False
    has_network: ClassVar[bool] = True

    def get(self, asked: str, download: Download) -> Path:
        """Return the file, in the folder."""
        place = self.root / WEIGHTS / asked
        found = place if place.exists() else Brought(self.root).find(asked)
        return found or self._keep(asked, place, download)

    def snapshot(self, repository: str, download: Callable[[], str]) -> Path:
        """Return the repository's folder, in the folder; what this run has kept of it may not be all."""
        place = self.root / WEIGHTS / repository
        found = Brought(self.root).find_snapshot(repository)
        if found is not None and not any(
            (self.root / path).is_relative_to(place) for path in self.kept.values()
        ):
            return found
        shutil.copytree(download(), place, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".cache"))
        self.kept[f"{repository}{WHOLE}"] = place.relative_to(self.root).as_posix()
        return place

    def clone(self, url: str, commit: str) -> Path:
        """Return the clone, in the folder."""
        try:
            return Brought(self.root).clone(url, commit)
        except NotBrought:
            return self.bring_clone(url, commit, self.root / REPOSITORIES / repository_name(url))

    def bring_clone(self, url: str, commit: str, place: Path, *, patch: Path | None = None) -> Path:
        """Clone the repository at a commit to the place, without its history and its large files."""
        whole = place.with_name(place.name + PARTIAL)
        _git("clone", "--quiet", url, str(whole))
        _git("-C", str(whole), "checkout", "--quiet", commit)
        if patch is not None:
            _git("-C", str(whole), "apply", "--ignore-whitespace", str(patch.resolve()))
        shutil.copytree(whole, place, ignore=_left_out)
        shutil.rmtree(whole)
        self.cloned.append(place)
        self.kept[f"{url} at {commit}"] = place.relative_to(self.root).as_posix()
        return place

    def _keep(self, asked: str, place: Path, download: Download) -> Path:
        place.parent.mkdir(parents=True, exist_ok=True)
        cached = (cache / name for cache in self.caches for name in (asked, place.name))
        found = next((path for path in cached if path.is_file()), None)
        partial = place.with_name(place.name + PARTIAL)
        try:
            if found is None:
                self.is_fetching = True
                download(partial)
            else:
                shutil.copyfile(found, partial)
            partial.replace(place)
        finally:
            self.is_fetching = False
            partial.unlink(missing_ok=True)
        self.kept[asked] = place.relative_to(self.root).as_posix()
        return place


def _git(*words: str) -> None:
    subprocess.run(["git", *words], check=True)  # the model's own repository, on its owner's machine


def _left_out(folder: str, names: list[str]) -> set[str]:
    large = {name for name in names if _is_large(Path(folder, name))}
    return large | ({".git"} & set(names))


def _is_large(path: Path) -> bool:
    return path.is_symlink() or (path.is_file() and path.stat().st_size > MAX_CLONED_BYTES)
