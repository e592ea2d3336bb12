"""Locks on files; the kernel gives them back when the holder dies, however it dies.

A lock file may be removed by its exclusive holder. Whoever waited for it then holds a lock on a
file that nobody else will find, so each lock is compared with what stands at its path.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

LOCK_POLL_S: Final = 0.1


@contextmanager
def exclusive(path: Path, *, tick: Callable[[], None]) -> Iterator[None]:
    """Hold the lock alone; `tick` is called many times a second while waiting, and what it raises is passed on."""
    with _waited_for(path, fcntl.LOCK_EX, tick):
        yield


@contextmanager
def shared(path: Path, *, tick: Callable[[], None]) -> Iterator[None]:
    """Hold the lock with others, against who wants it alone; `tick` as in `exclusive`."""
    with _waited_for(path, fcntl.LOCK_SH, tick):
        yield


@contextmanager
def at_once(path: Path) -> Iterator[bool]:
    """Hold the lock alone, or yield False because somebody has it."""
    with path.open("ab") as stream:
        yield _try_lock(stream, fcntl.LOCK_EX) and _stands_at(path, stream)


@contextmanager
def _waited_for(path: Path, kind: int, tick: Callable[[], None]) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = _locked(path, kind, tick)
    with stream:
        yield


def _locked(path: Path, kind: int, tick: Callable[[], None]) -> BinaryIO:
    while True:
        stream = path.open("ab")
        try:
            while not _try_lock(stream, kind):
                tick()
                time.sleep(LOCK_POLL_S)
            if _stands_at(path, stream):
                return stream
        except BaseException:
            stream.close()
            raise
        stream.close()


def _try_lock(stream: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(stream, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stands_at(path: Path, stream: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False
