"""Reads the content of a zip member piece by piece, whatever its packed bytes claim to be."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final

from scoring.intake.names import shown
from scoring.intake.unpacking import ERRORS, Unpacker, ZipLzma, bzip2, inflater, unpacked
from scoring.intake.zip_end import corrupt
from scoring.intake.zip_members import BZIP2, DEFLATED, LZMA, STORED, Located

CHUNK_BYTES: Final = 2**20
LZMA_END_FLAG: Final = 0x0002
METHODS: Final[Mapping[int, Callable[[], Unpacker]]] = {DEFLATED: inflater, BZIP2: bzip2, LZMA: ZipLzma}
"""What unpacks a member, by its method."""


def read_member(file: BinaryIO, located: Located) -> Iterator[bytes]:
    """Yield a member's content in pieces; raise `Rejected` when it is not what was declared."""
    path = shown(located.member.name)
    size = 0
    crc = 0
    for piece in _stored(file, located) if located.member.method == STORED else _unpacked(file, located):
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


def _unpacked(file: BinaryIO, located: Located) -> Iterator[bytes]:
    """Yield unpacked pieces of at most `CHUNK_BYTES`, however well they were packed."""
    member = located.member
    path, unpacker = shown(member.name), METHODS[member.method]()
    packed = _stored(file, located)
    try:
        yield from unpacked(packed, unpacker, most=CHUNK_BYTES)
    except ERRORS as exc:
        raise corrupt(f"“{path}” cannot be decompressed", path=path) from exc
    ends_by_its_size = member.method == LZMA and not member.flags & LZMA_END_FLAG
    # Bytes after the end of the stream are content that nobody unpacks but somebody may read.
    if not (unpacker.eof or ends_by_its_size) or unpacker.unused_data or any(packed):
        raise corrupt(f"“{path}” is cut short or has extra data after its content", path=path)
