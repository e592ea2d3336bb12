"""Folders for one evaluation each, removed whatever happens; a killed process's are removed by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scoring.errors import Fault


def own_root() -> Path:
    """Return the folder that this user's commands work below, in the machine's folder for temporary files."""
    root = Path(tempfile.gettempdir()) / f"podium-{os.geteuid()}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        status = root.lstat()
    except OSError as exc:
        raise Fault(f"{root} cannot be created: {exc.strerror}; set TMPDIR to a folder of your own") from exc
    # /tmp is everybody's: whoever holds the name already could exchange what is put there.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise Fault(
            f"{root} belongs to somebody else, or is a link; remove it, or set TMPDIR to a folder of your own"
        )
    return root


@contextmanager
def workdir(root: Path) -> Iterator[Path]:
    """Yield a fresh folder below `root` and remove it afterwards."""
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root):
        _remove_leftovers(root)
        folder = Path(tempfile.mkdtemp(dir=root))
        mine = _open(folder)
        fcntl.flock(mine, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(mine)


def _remove_leftovers(root: Path) -> None:
    """Remove folders that nobody has locked: the kernel took their locks back when the processes died."""
    for folder in filter(Path.is_dir, root.iterdir()):
        handle = _open(folder)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = _open(folder)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
