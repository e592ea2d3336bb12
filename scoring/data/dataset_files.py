"""Names and files of a dataset folder: none may lead outside, be missing, empty or a link."""

from __future__ import annotations

import stat
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
