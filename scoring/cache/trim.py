"""Keep the cache below a size by deleting the least recently used data, and nothing that is in use.

Only names that we give are looked at, so that a folder shared with other programs is safe.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scoring.cache.build import lock_of, seal_of
from scoring.cache.holds import mark_of
from scoring.cache.locks import at_once

DEFAULT_MAX_BYTES: Final = 20 * 2**30
ARRAYS: Final = re.compile(r"[0-9a-f]{40}(\.masks)?\.npy")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
PARTIAL: Final = re.compile(r"([0-9a-f]{40}(?:\.masks)?\.npy)(?:\.seal)?\.[0-9]+\.partial")
UNFINISHED: Final = re.compile(r"\.([0-9a-f]{64})-.+")


@dataclass(frozen=True, kw_only=True)
class Trimmed:
    """What trimming left and what it removed."""

    kept_bytes: int
    freed_bytes: int = 0
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Item:
    """Something that can be made again, and how it is removed; `remove` says whether it was free."""

    path: Path
    size: int
    used_at: float
    remove: Callable[[Path], bool]


def trim(root: Path, *, max_bytes: int) -> Trimmed:
    """Remove items, those used longest ago first, until the rest fits or is in use.

    One process trims at a time; another that comes meanwhile removes nothing.
    """
    if not root.is_dir():
        return Trimmed(kept_bytes=0)
    with at_once(root / "trim.lock") as alone:
        if not alone:
            return Trimmed(kept_bytes=sum(item.size for item in _items(root)))
        _remove_leftovers(root)
        return _remove_oldest(root, max_bytes)


def _remove_oldest(root: Path, max_bytes: int) -> Trimmed:
    items = sorted(_items(root), key=lambda item: (item.used_at, item.path))
    kept, removed = sum(item.size for item in items), []
    for item in items:
        if kept <= max_bytes:
            break
        if item.remove(item.path):
            kept -= item.size
            removed.append(item)
    return Trimmed(
        kept_bytes=kept,
        freed_bytes=sum(item.size for item in removed),
        removed=tuple(str(item.path.relative_to(root)) for item in removed),
    )


def _items(root: Path) -> Iterator[_Item]:
    for path in _named(root, ARRAYS):
        yield _Item(
            path=path, size=_size(path), used_at=_last_use(mark_of(path), path), remove=_remove_arrays
        )
    for path in _named(root / "datasets", DIGEST):
        yield _Item(
            path=path, size=_size(path), used_at=_last_use(mark_of(path), path), remove=_remove_dataset
        )
    for path in _named(root / "digests", DIGEST):
        yield _Item(path=path, size=_size(path), used_at=_last_use(path), remove=_remove_digest)


def _named(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    return [path for path in folder.iterdir() if pattern.fullmatch(path.name)] if folder.is_dir() else []


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum((Path(folder) / name).stat().st_size for folder, _, names in os.walk(path) for name in names)


def _last_use(*candidates: Path) -> float:
    """Return when the first candidate that exists was touched."""
    return next(path for path in candidates if path.exists()).stat().st_mtime


def _remove_arrays(target: Path) -> bool:
    def remove() -> None:
        # The seal first: whoever is killed in between leaves a file that counts as incomplete.
        seal_of(target).unlink(missing_ok=True)
        target.unlink(missing_ok=True)

    return _if_free(target, remove)


def _remove_dataset(target: Path) -> bool:
    def remove() -> None:
        # Renamed first: whoever is killed in between must not leave half a dataset under its name.
        leaving = target.with_name(f".{target.name}-leaving")
        target.rename(leaving)
        shutil.rmtree(leaving)

    return _if_free(target, remove)


def _remove_digest(target: Path) -> bool:
    target.unlink(missing_ok=True)
    return True


def _if_free(target: Path, remove: Callable[[], None]) -> bool:
    """Remove the item and its locks unless somebody uses or makes it."""
    mark, lock = mark_of(target), lock_of(target)
    with at_once(mark) as unused, at_once(lock) as idle:
        if not (unused and idle):
            return False
        remove()
        lock.unlink(missing_ok=True)
        mark.unlink(missing_ok=True)
    return True


def _remove_leftovers(root: Path) -> None:
    """Remove what was left half-made or half-removed by processes that were killed."""
    for folder, pattern in ((root, PARTIAL), (root / "datasets", UNFINISHED)):
        for path in _named(folder, pattern):
            with at_once(lock_of(folder / pattern.sub(r"\1", path.name))) as idle:
                if idle and path.is_dir():
                    shutil.rmtree(path)
                elif idle:
                    path.unlink(missing_ok=True)
