"""Counts the bytes that an entry really holds and writes them to disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from scoring.contracts import ArchiveLimits, UnpackedFile
from scoring.errors import reject
from scoring.intake.names import shown

# Small files of zeros or repeated text pack well and harm nobody.
RATIO_FREE_BYTES: Final = 2**20


class Meter:
    """Counts the bytes of one entry as they are read, and refuses when a limit is passed."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._unpacked_bytes = 0

    def count(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass pieces on while their sum over the whole entry is within the limit."""
        allowed = self._limits.max_unpacked_bytes
        for piece in pieces:
            self._unpacked_bytes += len(piece)
            if self._unpacked_bytes > allowed:
                raise reject("archive_too_large", allowed_bytes=allowed, what="unpacked")
            yield piece

    def watch_ratio(self, name: str, packed_bytes: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass pieces on while a member has not grown past the allowed ratio: a bomb ends here."""
        allowed = max(RATIO_FREE_BYTES, self._limits.max_ratio * packed_bytes)
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > allowed:
                raise reject("compression_ratio_too_high", path=shown(name), allowed=self._limits.max_ratio)
            yield piece

    def drain(self, pieces: Iterable[bytes]) -> None:
        """Read pieces for what is wrong with them, keeping nothing."""
        for _ in self.count(pieces):
            pass


def write_file(root: Path, path: str, pieces: Iterable[bytes], meter: Meter) -> UnpackedFile:
    """Write one file below `root`, which must not exist yet, counting as it goes."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    # "x" never follows a link or replaces a file, whatever the names were.
    with target.open("xb") as file:
        for piece in meter.count(pieces):
            size += file.write(piece)
    return UnpackedFile(path=path, size=size)
