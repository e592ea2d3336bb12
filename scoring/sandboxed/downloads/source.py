"""Where files come from that a model would download, by what it asks for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import ClassVar, Final, Protocol
from urllib.parse import unquote, urlsplit

from scoring.sandboxed.missing import NotBrought

PREFERRED: Final = ("weights", "hub", "checkpoints")
"""Folders whose files come first where several have the name that is asked for."""

WHOLE: Final = " (the whole repository)"
"""What follows a repository's name where all of its files are asked for."""

Download = Callable[[Path], object]


class Source(Protocol):
    """Hands out files. `asked` is an address without its scheme, or a repository with a file's path."""

    @property
    def has_network(self) -> bool:
        """Say whether what is not there can be downloaded."""

    @property
    def is_fetching(self) -> bool:
        """Say whether a file is being downloaded right now."""

    def get(self, asked: str, download: Download) -> Path:
        """Return the file; `download` would write it to a path. Raises `NotBrought`."""

    def snapshot(self, repository: str, download: Callable[[], str]) -> Path:
        """Return the folder of a repository's files; `download` would return one. Raises `NotBrought`."""

    def clone(self, url: str, commit: str) -> Path:
        """Return the folder of a repository's clone. Raises `NotBrought`."""


def url_source(url: str) -> str:
    """Return what stands for an address: its host and path."""
    parts = urlsplit(url)
    return f"{parts.netloc}{unquote(parts.path)}"


def repository_name(url: str) -> str:
    """Return what a clone of a repository is called."""
    return PurePosixPath(url_source(url)).name.removesuffix(".git")


@dataclass(frozen=True)
class Brought:
    """The files of one folder: an entry."""

    root: Path
    has_network: ClassVar[bool] = False
    is_fetching: ClassVar[bool] = False

    def get(self, asked: str, download: Download) -> Path:
        """Return the file that has most of the path that is asked for, at least its name."""
        found = self.find(asked)
        if found is None:
            raise NotBrought(asked)
        return found

    def find(self, asked: str) -> Path | None:
        """Do as `get`, or return None."""
        wanted = PurePosixPath(asked).parts
        named = self._files.get(wanted[-1] if wanted else "", [])
        if not named:
            return None
        return self.root / max(named, key=lambda path: _fitness(path, wanted))

    def snapshot(self, repository: str, download: Callable[[], str]) -> Path:
        """Return the folder that has most of the repository's name, at least its last part."""
        found = self.find_snapshot(repository)
        if found is None:
            raise NotBrought(f"{repository}{WHOLE}")
        return found

    def find_snapshot(self, repository: str) -> Path | None:
        """Do as `snapshot`, or return None. A folder of Hugging Face's cache is one as well."""
        kept = self._folders.get(f"models--{repository.replace('/', '--')}", [])
        states = sorted(state for folder in kept for state in (self.root / folder / "snapshots").glob("*"))
        if states:
            return states[-1]
        wanted = PurePosixPath(repository).parts
        named = self._folders.get(wanted[-1] if wanted else "", [])
        return self.root / max(named, key=lambda path: _fitness(path, wanted)) if named else None

    def clone(self, url: str, commit: str) -> Path:
        """Return the uppermost folder that has the repository's name."""
        named = self._folders.get(repository_name(url), [])
        if not named:
            raise NotBrought(f"{url_source(url)} at {commit}")
        return self.root / min(named, key=lambda path: (len(path.parts), path))

    @cached_property
    def _files(self) -> dict[str, list[PurePosixPath]]:
        return _by_name(path for path, is_folder in self._paths if not is_folder)

    @cached_property
    def _folders(self) -> dict[str, list[PurePosixPath]]:
        return _by_name(path for path, is_folder in self._paths if is_folder)

    @cached_property
    def _paths(self) -> list[tuple[PurePosixPath, bool]]:
        found = []
        for top, folders, files in os.walk(self.root):
            inside = PurePosixPath(Path(top).relative_to(self.root).as_posix())
            found += [(inside / name, True) for name in folders]
            found += [(inside / name, False) for name in files]
        return found


def _by_name(paths: Iterable[PurePosixPath]) -> dict[str, list[PurePosixPath]]:
    named: dict[str, list[PurePosixPath]] = {}
    for path in paths:
        named.setdefault(path.name, []).append(path)
    return named


def _fitness(path: PurePosixPath, wanted: tuple[str, ...]) -> tuple[int, bool, int, str]:
    """Order files of one name: the longest common end, then where weights lie, then the uppermost."""
    common = 0
    for ours, theirs in zip(reversed(path.parts), reversed(wanted), strict=False):
        if ours != theirs:
            break
        common += 1
    return common, path.parts[0] in PREFERRED, -len(path.parts), str(path)
