"""One way to unpack what zlib, bz2 and lzma packed: piece by piece, each piece bounded however well it was packed."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

MAX_DICTIONARY_BYTES: Final = 64 * 2**20
"""What packing at the highest level needs (`xz -9`)."""
ERRORS: Final = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)
"""What the libraries raise for data that is damaged."""
# Tells zlib to expect a gzip header and to check the checksum and length at the end.
GZIP_WINDOW: Final = 31
_LZMA_HEADER: Final = struct.Struct("<2BHBL")


class Unpacker(Protocol):
    """Unpacks one packed stream, as the classes of `bz2` and `lzma` do."""

    @property
    def eof(self) -> bool:
        """Say whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Say whether nothing comes any more without further data."""

    @property
    def unused_data(self) -> bytes:
        """Return what was given beyond the end of the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take more data in and return at most `max_length` unpacked bytes; raises one of `ERRORS`."""


class Inflater:
    """Unpacks what zlib packed: gzip by default, with a negative window deflated data alone."""

    def __init__(self, window: int = GZIP_WINDOW) -> None:
        self._inflate = zlib.decompressobj(window)
        self._may_hold_more = False

    @property
    def eof(self) -> bool:
        """Say whether the stream has ended."""
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        """Say whether nothing comes any more without further data."""
        return not (self.eof or self._may_hold_more)

    @property
    def unused_data(self) -> bytes:
        """Return what was given beyond the end of the stream."""
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take more data in and return at most `max_length` unpacked bytes."""
        piece = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self._may_hold_more = len(piece) == max_length
        return piece


class ZipLzma:
    """Unpacks a member of a zip that LZMA packed: a header of its own, and no end mark unless the packer wrote one."""

    def __init__(self) -> None:
        self._header = b""
        self._decompressor: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        """Say whether the stream has ended with an end mark."""
        return self._decompressor is not None and self._decompressor.eof

    @property
    def needs_input(self) -> bool:
        """Say whether nothing comes any more without further data."""
        return self._decompressor is None or self._decompressor.needs_input

    @property
    def unused_data(self) -> bytes:
        """Return what was given beyond the end mark."""
        return b"" if self._decompressor is None else self._decompressor.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take more data in and return at most `max_length` unpacked bytes."""
        if self._decompressor is None:
            self._header += data
            if len(self._header) < _LZMA_HEADER.size:
                return b""
            self._decompressor = _by_header(self._header)
            data = self._header[_LZMA_HEADER.size :]
        return self._decompressor.decompress(data, max_length)


def _by_header(header: bytes) -> lzma.LZMADecompressor:
    """Read a zip's LZMA header: version, the length of the properties, and the five bytes of these."""
    _, _, length, packed, dictionary = _LZMA_HEADER.unpack_from(header)
    positions, rest = divmod(packed, 45)
    literal_positions, literals = divmod(rest, 9)
    if length != 5 or positions > 4 or dictionary > MAX_DICTIONARY_BYTES:
        raise ValueError("not the properties that packers write")
    chain = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(dictionary, 4096),
        "lc": literals,
        "lp": literal_positions,
        "pb": positions,
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chain])


def inflater() -> Unpacker:
    """Return what unpacks deflated data without a header."""
    return Inflater(-zlib.MAX_WBITS)


def bzip2() -> Unpacker:
    """Return what unpacks bzip2."""
    return bz2.BZ2Decompressor()


def xz() -> Unpacker:
    """Return what unpacks xz, with a dictionary of a bounded size."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * MAX_DICTIONARY_BYTES)


def unpacked(packed: Iterable[bytes], unpacker: Unpacker, *, most: int) -> Iterator[bytes]:
    """Yield unpacked pieces of at most `most` bytes; what follows the end stays with the unpacker, or is not read."""
    for data in packed:
        if unpacker.eof:
            return
        yield unpacker.decompress(data, most)
        while not (unpacker.eof or unpacker.needs_input):
            yield unpacker.decompress(b"", most)
