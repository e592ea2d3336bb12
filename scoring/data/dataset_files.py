"""Names and files of a dataset folder: none may lead outside, be missing, empty or a link."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path


def unsafe(name: str) -> str:
    """Say why a name could lead out of the folder or be read in two ways; empty if it cannot."""
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or ":" in name:
        return "has a backslash, a colon or a control character"
    if name.startswith("/"):
        return "is absolute"
    if any(part in ("", ".", "..") for part in parts):
        return "has an empty, “.” or “..” part"
    return ""


def composed(name: str) -> str:
    """Return the name with its letters and accents composed (NFC): macOS keeps them apart, tables rarely do."""
    return unicodedata.normalize("NFC", name)


class Spelling:
    """Finds files whose names are composed otherwise in the folder than in a table."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: dict[Path, dict[str, str]] = {}

    def as_stored(self, name: str) -> str:
        """Return the name as it is in the folder; one that is there already, or not at all, stays."""
        if name.isascii() or os.path.lexists(self._folder / name):
            return name
        here = self._folder
        for part in name.split("/"):
            here /= self._in(here).get(composed(part), part)
        return here.relative_to(self._folder).as_posix()

    def _in(self, folder: Path) -> dict[str, str]:
        if folder not in self._listed:
            # A linked folder is refused later; what lies behind it is none of ours.
            is_own = folder.is_dir() and not folder.is_symlink()
            names = sorted(path.name for path in folder.iterdir()) if is_own else []
            self._listed[folder] = {composed(name): name for name in names}
        return self._listed[folder]


def file_findings(folder: Path, names: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Yield what is wrong with the files; each name comes with the number of its row."""
    checked_folders: dict[Path, str] = {}
    for number, name in names:
        path = folder / name
        why = _folders_finding(folder, path.parent, checked_folders) or file_finding(path)
        if why:
            yield f"row {number}: “{name}” {why}"


def _folders_finding(root: Path, folder: Path, checked: dict[Path, str]) -> str:
    if folder == root:
        return ""
    if folder not in checked:
        # A link could point at any file of the server, which would then be shown as a sample.
        own = "is inside a linked folder" if folder.is_symlink() else ""
        checked[folder] = own or _folders_finding(root, folder.parent, checked)
    return checked[folder]


def file_finding(path: Path) -> str:
    """Say why the file cannot be used; empty if it can."""
    try:
        status = path.lstat()
    except OSError:
        return "is missing"
    if not stat.S_ISREG(status.st_mode):
        return "is a link or a special file"
    return "" if status.st_size else "is empty"
