"""Reads the content of a zip member piece by piece, whatever its packed bytes claim to be."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from scoring.intake.names import shown
from scoring.intake.zip_end import corrupt
from scoring.intake.zip_members import STORED, Located

CHUNK_BYTES: Final = 2**20


def read_member(file: BinaryIO, located: Located) -> Iterator[bytes]:
    """Yield a member's content in pieces; raise `Rejected` when it is not what was declared."""
    path = shown(located.member.name)
    size = 0
    crc = 0
    for piece in _stored(file, located) if located.member.method == STORED else _inflated(file, located):
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        if size > located.member.size:
            raise corrupt(f"“{path}” is longer than declared", path=path)
        yield piece
    if size != located.member.size or crc != located.member.crc:
        raise corrupt(f"“{path}” fails its checksum", path=path)


def _stored(file: BinaryIO, located: Located) -> Iterator[bytes]:
    for at in range(located.start, located.end, CHUNK_BYTES):
        file.seek(at)
        yield file.read(min(CHUNK_BYTES, located.end - at))


def _inflated(file: BinaryIO, located: Located) -> Iterator[bytes]:
    """Yield inflated pieces of at most `CHUNK_BYTES`, however well they were packed."""
    path = shown(located.member.name)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for packed in _stored(file, located):
            if inflater.eof:
                raise corrupt(f"“{path}” has extra data after its content", path=path)
            pending = packed
            while pending and not inflater.eof:
                yield inflater.decompress(pending, CHUNK_BYTES)
                pending = inflater.unconsumed_tail
        while not inflater.eof:
            piece = inflater.decompress(inflater.unconsumed_tail, CHUNK_BYTES)
            if not piece:
                break
            yield piece
    except zlib.error as exc:
        raise corrupt(f"“{path}” cannot be decompressed", path=path) from exc
    # Bytes after the end of the stream are content that nobody unpacks but somebody may read.
    if not inflater.eof or inflater.unused_data:
        raise corrupt(f"“{path}” is cut short or has extra data after its content", path=path)
