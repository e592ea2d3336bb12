"""Leaves of a large clone what the model needs of it: an entry has a limit of files, and some repositories have more.

Python tells of each file that it opens. Of a large clone, a folder is left whole if a file of it was opened while
the model was built: what is beside a module that was imported may be read later.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

LARGE: Final = 500
"""Files of a clone beyond which it is trimmed; the limit of files of an entry is 2,000."""


class Opened:
    """The folders of the files that were opened to be read since this was made."""

    def __init__(self) -> None:
        self.folders: set[Path] = set()
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open":
            return
        path, _, flags = arguments
        if isinstance(path, str) and isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_RDWR):
            self.folders.add(Path(os.path.realpath(path)).parent)


def trim(clones: Iterable[Path], opened: Opened) -> None:
    """Remove from each large clone the files of folders in which nothing was opened."""
    folders = frozenset(opened.folders)
    for clone in clones:
        files = [path for path in clone.rglob("*") if path.is_file()]
        if len(files) > LARGE:
            for path in files:
                if path.resolve().parent not in folders:
                    path.unlink()
            _remove_empty(clone)


def _remove_empty(root: Path) -> None:
    for folder in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
