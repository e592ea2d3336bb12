"""Finds the end record of a zip, which says where its directory is; readers must agree on it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from scoring.errors import Rejected, reject

END: Final = struct.Struct("<4s4H2LH")
END64_LOCATOR: Final = struct.Struct("<4sLQL")
END64: Final = struct.Struct("<4sQ2H2L4Q")
END_MAGIC: Final = b"PK\x05\x06"
MAX_COMMENT_BYTES: Final = 0xFFFF
FULL16: Final = 0xFFFF
FULL32: Final = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class End:
    """How many entries the directory has, how long it is and where; `position` is where it must end."""

    entries: int
    directory_bytes: int
    directory_offset: int
    position: int


def corrupt(why: str, *, path: str = "") -> Rejected:
    """Build the refusal of a damaged or ambiguous archive."""
    return reject("corrupt_archive", path=path, why=why)


def has_end_record(file: BinaryIO, size: int) -> bool:
    """Say whether a zip reader would find an archive that ends where the file ends."""
    return len(_end_positions(file, size)) > 0


def _end_positions(file: BinaryIO, size: int) -> list[int]:
    """Return the places of all end records whose comment reaches exactly to the end of the file."""
    start = max(0, size - END.size - MAX_COMMENT_BYTES)
    file.seek(start)
    tail = file.read(size - start)
    positions = []
    found = tail.find(END_MAGIC)
    while found != -1:
        if found + END.size <= len(tail):
            comment_bytes = END.unpack_from(tail, found)[7]
            if found + END.size + comment_bytes == len(tail):
                positions.append(start + found)
        found = tail.find(END_MAGIC, found + 1)
    return positions


def read_end(file: BinaryIO, size: int) -> End:
    """Return the one end record of a file of `size` bytes, or raise `Rejected`."""
    positions = _end_positions(file, size)
    if not positions:
        raise corrupt("its directory is missing; the file may be incomplete or have extra data at its end")
    # A second end record inside the comment: readers disagree on which one counts.
    if len(positions) > 1:
        raise corrupt("it has more than one end record")
    position = positions[0]
    file.seek(position)
    _, disk, directory_disk, here, entries, directory_bytes, offset, _ = END.unpack(file.read(END.size))
    if (disk, directory_disk) not in {(0, 0), (FULL16, FULL16)} or here != entries:
        raise corrupt("it is split over several files")
    plain = End(entries=entries, directory_bytes=directory_bytes, directory_offset=offset, position=position)
    return _read_end64(file, plain)


def _read_end64(file: BinaryIO, plain: End) -> End:
    """Return the zip64 end record where there is one; it must not contradict the plain record."""
    locator_at = plain.position - END64_LOCATOR.size
    if locator_at < END64.size:
        return plain
    file.seek(locator_at)
    magic, disk, end64_at, disks = END64_LOCATOR.unpack(file.read(END64_LOCATOR.size))
    if magic != b"PK\x06\x07":
        return plain
    if disk != 0 or disks > 1 or end64_at != locator_at - END64.size:
        raise corrupt("its zip64 end record is not where it should be")
    file.seek(end64_at)
    magic, _, _, _, disk, directory_disk, here, entries, directory_bytes, offset = END64.unpack(
        file.read(END64.size)
    )
    agrees = (
        plain.entries in {entries, FULL16}
        and plain.directory_bytes in {directory_bytes, FULL32}
        and plain.directory_offset in {offset, FULL32}
    )
    if magic != b"PK\x06\x06" or disk != 0 or directory_disk != 0 or here != entries or not agrees:
        raise corrupt("its two end records contradict each other")
    return End(entries=entries, directory_bytes=directory_bytes, directory_offset=offset, position=end64_at)
