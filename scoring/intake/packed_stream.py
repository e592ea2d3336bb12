"""Unpacks a packed tar piece by piece: one stream or several in a row, nothing else, bounded however it was packed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import BinaryIO, Final

from scoring.contracts import ArchiveLimits
from scoring.errors import reject
from scoring.intake.unpacking import ERRORS, Inflater, Unpacker, bzip2, unpacked, xz
from scoring.intake.writing import RATIO_FREE_BYTES
from scoring.intake.zip_end import corrupt

CHUNK_BYTES: Final = 2**18
PACKINGS: Final[Mapping[bytes, tuple[str, Callable[[], Unpacker]]]] = {
    b"\x1f\x8b": ("gzip", Inflater),
    b"BZh": ("bzip2", bzip2),
    b"\xfd7zXZ\0": ("xz", xz),
}
"""How packed files begin, what that is called, and what unpacks it. What is none of these is not packed."""


class PackedStream:
    """Reads unpacked bytes in order, and refuses when they outgrow what was packed too far."""

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        file.seek(0)
        self._file = file
        self._limits = limits
        self._unpacked_bytes = 0
        self._ready = b""
        self._pieces = self._all()

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer only where the stream ends."""
        while len(self._ready) < size and (piece := next(self._pieces, b"")):
            self._ready += piece
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def _all(self) -> Iterator[bytes]:
        """Yield what the streams hold, one after the other as `gzip` and `tar` read them, never an empty piece."""
        begin = self._file.read(CHUNK_BYTES)
        magic = next((magic for magic in PACKINGS if begin.startswith(magic)), None)
        if magic is None:
            yield from self._stored(begin)
            return
        while begin:
            if not begin.startswith(magic):
                # Some readers go on with what follows, others stop: they would see different members.
                raise corrupt(f"it has extra data after its {PACKINGS[magic][0]} data")
            rest = yield from self._one(begin, magic)
            begin = rest + self._file.read(CHUNK_BYTES)

    def _stored(self, begin: bytes) -> Iterator[bytes]:
        while begin:
            yield begin
            begin = self._file.read(CHUNK_BYTES)

    def _one(self, begin: bytes, magic: bytes) -> Generator[bytes, None, bytes]:
        """Yield what one stream holds; return what was read beyond it."""
        name, make = PACKINGS[magic]
        unpacker = make()
        try:
            for piece in unpacked(self._packed(begin, unpacker), unpacker, most=CHUNK_BYTES):
                if piece:
                    yield self._bounded(piece)
        except ERRORS as exc:
            raise corrupt(f"its {name} data is damaged") from exc
        if not unpacker.eof:
            raise corrupt(f"it is cut short: its {name} data does not end")
        return unpacker.unused_data

    def _packed(self, begin: bytes, unpacker: Unpacker) -> Iterator[bytes]:
        while begin:
            yield begin
            begin = b"" if unpacker.eof else self._file.read(CHUNK_BYTES)

    def _bounded(self, piece: bytes) -> bytes:
        self._unpacked_bytes += len(piece)
        # A bomb ends here, whatever its headers declare. What was read and is not unpacked yet counts for it.
        if self._unpacked_bytes > max(RATIO_FREE_BYTES, self._limits.max_ratio * self._file.tell()):
            raise reject("compression_ratio_too_high", path="the archive", allowed=self._limits.max_ratio)
        return piece
