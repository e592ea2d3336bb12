"""Files that are costly to build: built once, shared, never seen half-built.

Several workers may ask for the same file at once. One builds it under a lock; the others wait and
then use it. A file counts as complete only while its seal, written last, matches its size and
modification time; whatever was cut short or touched since is built again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from scoring.cache.atomic import write_atomically, write_bytes_atomically
from scoring.cache.holds import hold
from scoring.cache.locks import exclusive


def obtain(target: Path, build: Callable[[BinaryIO], None], *, tick: Callable[[], None]) -> Path:
    """Return `target`, building it first unless it is there and complete; hold it.

    `tick` is called while waiting for another builder; what it or `build` raises is passed on and
    leaves no file behind that a later caller could take for complete.
    """
    hold(target, tick=tick)
    if _is_complete(target):
        return target
    with exclusive(lock_of(target), tick=tick):
        if not _is_complete(target):
            _build(target, build)
    return target


def lock_of(target: Path) -> Path:
    """Return the file that is locked by who makes the item."""
    return target.with_name(f"{target.name}.lock")


def seal_of(target: Path) -> Path:
    """Return the file that says that the built one is complete."""
    return target.with_name(f"{target.name}.seal")


def _build(target: Path, build: Callable[[BinaryIO], None]) -> None:
    seal = seal_of(target)
    seal.unlink(missing_ok=True)
    # Only the holder of the lock writes here, so what lies about was left by a killed builder.
    for leftover in target.parent.glob(f"{target.name}.*.partial"):
        leftover.unlink(missing_ok=True)
    write_atomically(target, build)
    write_bytes_atomically(seal, json.dumps(_fingerprint(target)).encode())


def _is_complete(target: Path) -> bool:
    with suppress(OSError, ValueError):
        return bool(json.loads(seal_of(target).read_text()) == _fingerprint(target))
    return False


def _fingerprint(path: Path) -> dict[str, int]:
    status = path.stat()
    return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
