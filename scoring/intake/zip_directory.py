"""Reads a zip's central directory strictly: it has one meaning, or it is refused.

Written out rather than left to `zipfile`, which accepts data before and after the archive, believes
the directory's length over its count, and builds an object for each of millions of entries.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from scoring.contracts import ArchiveLimits
from scoring.errors import reject
from scoring.intake.names import ROOT, plain_name
from scoring.intake.zip_end import FULL16, FULL32, corrupt, read_end

ENTRY: Final = struct.Struct("<4s6H3L5H2L")
ENTRY_MAGIC: Final = b"PK\x01\x02"
MAX_DIRECTORY_BYTES: Final = 32 * 2**20
# Version 6.3 of the specification, the newest that common readers open.
MAX_VERSION: Final = 63
UTF8_FLAG: Final = 0x800
EXTRA_ZIP64: Final = 0x0001
EXTRA_UNICODE_PATH: Final = 0x7075


@dataclass(frozen=True, kw_only=True)
class Member:
    """One entry of the central directory, as declared and not yet trusted."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size: int
    header_offset: int
    mode: int
    dos_attributes: int


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The central directory and where it begins, which is where the last member must end."""

    members: tuple[Member, ...]
    offset: int


def read_directory(file: BinaryIO, size: int, limits: ArchiveLimits) -> Directory:
    """Read the central directory of a file of `size` bytes, or raise `Rejected`."""
    end = read_end(file, size)
    if end.entries > limits.max_files:
        raise reject("too_many_files", found=end.entries, allowed=limits.max_files)
    if end.directory_bytes > MAX_DIRECTORY_BYTES:
        raise corrupt(f"its directory takes more than {MAX_DIRECTORY_BYTES:,} bytes")
    # Data before the archive makes a file that is two things at once: readers shift all offsets
    # by the difference, others do not, and they see different members.
    if end.directory_offset + end.directory_bytes != end.position:
        raise corrupt("its directory is not where the end record says")
    file.seek(end.directory_offset)
    raw = file.read(end.directory_bytes)
    return Directory(members=tuple(_entries(raw, end.entries)), offset=end.directory_offset)


def _entries(raw: bytes, count: int) -> Iterator[Member]:
    at = 0
    for _ in range(count):
        if at + ENTRY.size > len(raw) or not raw.startswith(ENTRY_MAGIC, at):
            raise corrupt("its directory is damaged")
        fields = ENTRY.unpack_from(raw, at)
        name_bytes, extra_bytes, comment_bytes = fields[10:13]
        names_at = at + ENTRY.size
        at = names_at + name_bytes + extra_bytes + comment_bytes
        if at > len(raw):
            raise corrupt("its directory is damaged")
        yield _member(
            fields,
            raw_name=raw[names_at : names_at + name_bytes],
            extra=raw[names_at + name_bytes : names_at + name_bytes + extra_bytes],
        )
    # `zipfile` reads by length and others by count: entries past the count are hidden from some.
    if at != len(raw):
        raise corrupt("its directory lists more members than its end record counts")


def _member(fields: tuple[int, ...], *, raw_name: bytes, extra: bytes) -> Member:
    _, _, needed, flags, method, _, _, crc, packed, size, _, _, _, disk, _, attributes, offset = fields
    name = decode_name(raw_name, flags)
    records = dict(extra_fields(extra))
    other_name = records.get(EXTRA_UNICODE_PATH, b"")[5:]
    # Readers that know this record see another name than those that do not.
    if other_name and other_name != name.encode(errors="surrogateescape"):
        raise corrupt("a member has two different names")
    size, packed, offset = _widen((size, packed, offset), records.get(EXTRA_ZIP64, b""))
    if disk not in {0, FULL16}:
        raise corrupt("it is split over several files")
    if needed & 0xFF > MAX_VERSION:
        raise corrupt("it uses a newer version of the format")
    return Member(
        name=plain_name(name) or (ROOT if name else ""),
        raw_name=raw_name,
        flags=flags,
        method=method,
        crc=crc,
        packed_bytes=packed,
        size=size,
        header_offset=offset,
        mode=attributes >> 16,
        dos_attributes=attributes & 0xFF,
    )


def decode_name(raw: bytes, flags: int) -> str:
    """Return the name; macOS writes UTF-8 without the flag, so UTF-8 is tried before code page 437."""
    if flags & UTF8_FLAG:
        return raw.decode(errors="surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437")


def extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records of an extra field; a damaged tail is ignored, as all readers do."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _widen(values: tuple[int, int, int], record: bytes) -> tuple[int, int, int]:
    """Replace each saturated 32-bit value by the next 64-bit value of the zip64 record."""
    wide = [value for (value,) in struct.iter_unpack("<Q", record[: len(record) // 8 * 8])]
    saturated = sum(value == FULL32 for value in values)
    if saturated > len(wide):
        raise corrupt("a member's zip64 sizes are missing")
    spare = iter(wide)
    size, packed, offset = (next(spare) if value == FULL32 else value for value in values)
    return size, packed, offset
