"""A folder of files that are costly to build: built once, shared, never seen half-built.

Several workers may ask for the same file at once. One builds it under a lock; the others wait and
then use it. A file counts as complete only while its seal, written last, matches its size and
modification time; whatever was cut short or touched since is built again.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LOCK_POLL_S = 0.1


def obtain(target: Path, build: Callable[[BinaryIO], None], *, tick: Callable[[], None]) -> Path:
    """Return `target`, building it first unless it is there and complete.

    `tick` is called while waiting for another builder; what it or `build` raises is passed on and
    leaves no file behind that a later caller could take for complete.
    """
    if _is_complete(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(_beside(target, "lock"), tick):
        if not _is_complete(target):
            _build(target, build)
    return target


def write_atomically(target: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file that is either wholly there, after a power cut too, or not at all."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(target.parent)


def write_bytes_atomically(target: Path, content: bytes) -> None:
    """Write a small file that is either wholly there or not at all."""

    def write(stream: BinaryIO) -> None:
        stream.write(content)

    write_atomically(target, write)


def _build(target: Path, build: Callable[[BinaryIO], None]) -> None:
    seal = _beside(target, "seal")
    seal.unlink(missing_ok=True)
    # Only the holder of the lock writes here, so what lies about was left by a killed builder.
    for leftover in target.parent.glob(f"{target.name}.*.partial"):
        leftover.unlink(missing_ok=True)
    write_atomically(target, build)
    write_bytes_atomically(seal, json.dumps(_fingerprint(target)).encode())


def _is_complete(target: Path) -> bool:
    with suppress(OSError, ValueError):
        return bool(json.loads(_beside(target, "seal").read_text()) == _fingerprint(target))
    return False


def _fingerprint(path: Path) -> dict[str, int]:
    status = path.stat()
    return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


@contextmanager
def _locked(path: Path, tick: Callable[[], None]) -> Iterator[None]:
    """Hold the lock; the kernel gives it back when the holder dies, however it dies."""
    with path.open("ab") as stream:
        while not _try_lock(stream):
            tick()
            time.sleep(LOCK_POLL_S)
        yield


def _try_lock(stream: BinaryIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f"{target.name}.{suffix}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
