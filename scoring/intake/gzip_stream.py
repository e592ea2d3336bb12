"""Unpacks a gzip file piece by piece: one member, nothing after it, bounded however it was packed."""

from __future__ import annotations

import zlib
from typing import BinaryIO, Final

from scoring.contracts import ArchiveLimits
from scoring.errors import reject
from scoring.intake.writing import RATIO_FREE_BYTES
from scoring.intake.zip_end import corrupt

CHUNK_BYTES: Final = 2**18
# Tells zlib to expect a gzip header and to check the checksum and length at the end.
GZIP_WINDOW: Final = 31


class GzipStream:
    """Reads unpacked bytes in order, and refuses when they outgrow what was packed too far."""

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        file.seek(0)
        self._file = file
        self._limits = limits
        self._inflate = zlib.decompressobj(GZIP_WINDOW)
        self._packed_bytes = 0
        self._unpacked_bytes = 0
        self._ready = b""

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer only where the stream ends."""
        while len(self._ready) < size and (piece := self._next()):
            self._ready += piece
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def _next(self) -> bytes:
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(CHUNK_BYTES)
            if not packed:
                raise corrupt("it is cut short: its gzip data does not end")
            piece = self._decompress(packed)
            if piece:
                return piece
        # Some readers go on with what follows, others stop: they would see different members.
        if self._inflate.unused_data or self._file.read(1):
            raise corrupt("it has extra data after its gzip data")
        return b""

    def _decompress(self, packed: bytes) -> bytes:
        try:
            piece = self._inflate.decompress(packed, CHUNK_BYTES)
        except zlib.error as exc:
            raise corrupt("its gzip data is damaged") from exc
        self._packed_bytes = self._file.tell() - len(self._inflate.unconsumed_tail)
        self._unpacked_bytes += len(piece)
        # A bomb ends here, whatever its headers declare.
        if self._unpacked_bytes > max(RATIO_FREE_BYTES, self._limits.max_ratio * self._packed_bytes):
            raise reject("compression_ratio_too_high", path="the archive", allowed=self._limits.max_ratio)
        return piece
