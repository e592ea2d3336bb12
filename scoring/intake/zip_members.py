"""Checks that each member of a zip is what the directory says, and that no two share their bytes."""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, Final

from scoring.contracts import Finding
from scoring.errors import Rejected
from scoring.intake.names import shown
from scoring.intake.zip_directory import EXTRA_ZIP64, Directory, Member, extra_fields
from scoring.intake.zip_end import FULL32, corrupt

LOCAL: Final = struct.Struct("<4s5H3L2H")
LOCAL_MAGIC: Final = b"PK\x03\x04"
STORED: Final = 0
DEFLATED: Final = 8
DEFLATE64: Final = 9
BZIP2: Final = 12
LZMA: Final = 14
READ: Final = frozenset({STORED, DEFLATED, BZIP2, LZMA})
OTHERS: Final = {
    1: "Shrink",
    6: "Implode",
    DEFLATE64: "Deflate64, as Windows uses for files over 2 GB",
    93: "Zstandard",
    95: "xz",
    98: "PPMd",
}
ENCRYPTED_FLAGS: Final = 0x0001 | 0x0040 | 0x2000
SIZES_FOLLOW_FLAG: Final = 0x0008
PATCHED_FLAG: Final = 0x0020
UTF8_FLAG: Final = 0x0800
DOS_FOLDER: Final = 0x10
# Optional magic, CRC and two sizes of 4 or 8 bytes each.
DESCRIPTORS: Final = tuple(struct.Struct(layout) for layout in ("<3L", "<4s3L", "<LQQ", "<4sLQQ"))
SPECIAL_KINDS: Final = {
    stat.S_IFLNK: "symbolic link",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
}


@dataclass(frozen=True, kw_only=True)
class Located:
    """A member whose local header agrees with the directory; its packed bytes are [start, end)."""

    member: Member
    start: int
    end: int


def kind_findings(members: Iterable[Member]) -> Iterator[Finding]:
    """Yield members that are neither a regular file nor a folder, or that nobody could open."""
    for member in members:
        what = None if is_link(member) else _special_kind(member)
        if what is not None:
            yield Finding(code="link_in_archive", path=shown(member.name), facts={"what": what})
        if member.flags & ENCRYPTED_FLAGS:
            yield Finding(code="encrypted_archive", path=shown(member.name))
        elif not _has_known_method(member):
            named = OTHERS.get(member.method, f"method {member.method}")
            facts = {"method": "patched data" if member.flags & PATCHED_FLAG else named}
            yield Finding(code="unknown_compression", path=shown(member.name), facts=facts)
        elif member.name.endswith("/") and (member.size or member.packed_bytes > 2):
            why = f"the folder “{shown(member.name)}” has content"
            yield Finding(code="corrupt_archive", path=shown(member.name), facts={"why": why})


def is_link(member: Member) -> bool:
    """Say whether the member is a symbolic link, whose content is the path that it leads to."""
    return stat.S_IFMT(member.mode) == stat.S_IFLNK and not member.name.endswith("/")


def is_readable(member: Member) -> bool:
    """Say whether the member's bytes can be unpacked at all."""
    return not member.flags & ENCRYPTED_FLAGS and _has_known_method(member)


def _has_known_method(member: Member) -> bool:
    return member.method in READ and not member.flags & PATCHED_FLAG


def _special_kind(member: Member) -> str | None:
    kind = stat.S_IFMT(member.mode)
    is_folder = member.name.endswith("/")
    if kind in SPECIAL_KINDS:
        return SPECIAL_KINDS[kind]
    # A folder to one reader and a file to another.
    if is_folder and kind not in {0, stat.S_IFDIR}:
        return "file with a folder's name"
    if not is_folder and (kind not in {0, stat.S_IFREG} or member.dos_attributes & DOS_FOLDER):
        return "folder or special file with a file's name"
    return None


def locate(file: BinaryIO, directory: Directory) -> tuple[list[Located], list[Finding]]:
    """Find every member's bytes; return those that are sound, and what is wrong with the others."""
    located: list[Located] = []
    findings: list[Finding] = []
    ends: list[tuple[Member, int]] = []
    for member in sorted(directory.members, key=lambda member: member.header_offset):
        try:
            found = _locate_one(file, member, limit=directory.offset)
        except Rejected as refusal:
            findings.extend(refusal.findings)
            # Of a member with a false header the directory alone still says what it must cover.
            ends.append(
                (member, member.header_offset + LOCAL.size + len(member.raw_name) + member.packed_bytes)
            )
        else:
            located.append(found)
            ends.append((member, found.end))
    overlapping = list(_overlap_findings(ends))
    if overlapping:
        return [], [*overlapping, *findings]
    # Only when every member is known can the bytes between them be judged.
    return located, findings or list(_layout_findings(file, located, directory))


def _locate_one(file: BinaryIO, member: Member, *, limit: int) -> Located:
    path = shown(member.name)
    file.seek(member.header_offset)
    raw = file.read(LOCAL.size)
    if len(raw) < LOCAL.size or not raw.startswith(LOCAL_MAGIC):
        raise corrupt(f"“{path}” does not begin where the directory says", path=path)
    _, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = LOCAL.unpack(raw)
    raw_name = file.read(name_bytes)
    extra = file.read(extra_bytes)
    compared = ENCRYPTED_FLAGS | SIZES_FOLLOW_FLAG | PATCHED_FLAG | UTF8_FLAG
    # A reader that streams sees the local header, one that seeks sees the directory.
    if raw_name != member.raw_name or method != member.method or (flags ^ member.flags) & compared:
        raise corrupt(f"“{path}” has a local header that differs from the directory", path=path)
    if not _sizes_agree(member, (crc, size, packed), extra):
        raise corrupt(f"“{path}” has sizes that differ from the directory", path=path)
    start = member.header_offset + LOCAL.size + name_bytes + extra_bytes
    if start + member.packed_bytes > limit:
        raise corrupt(f"“{path}” reaches beyond the archive's content", path=path)
    return Located(member=member, start=start, end=start + member.packed_bytes)


def _sizes_agree(member: Member, local: tuple[int, int, int], extra: bytes) -> bool:
    crc, size, packed = local
    if member.flags & SIZES_FOLLOW_FLAG:
        # Written by a streaming packer: zeros here, or placeholders for a zip64 record.
        return crc in {0, member.crc} and size in {0, FULL32, member.size}
    record = dict(extra_fields(extra)).get(EXTRA_ZIP64, b"")
    if FULL32 in {size, packed} and len(record) >= 16:
        size, packed = struct.unpack_from("<QQ", record)
    return (crc, size, packed) == (member.crc, member.size, member.packed_bytes)


def _overlap_findings(ends: list[tuple[Member, int]]) -> Iterator[Finding]:
    """Yield members that share bytes: a small file could unpack to any size that way."""
    for (before, end), (after, _) in pairwise(ends):
        if after.header_offset < end:
            facts = {"other": shown(before.name)}
            yield Finding(code="duplicate_name", path=shown(after.name), facts=facts)


def _layout_findings(file: BinaryIO, located: list[Located], directory: Directory) -> Iterator[Finding]:
    """Yield bytes that belong to no member: a reader that streams would find hidden members there."""
    starts = [item.member.header_offset for item in located] + [directory.offset]
    if starts[0] != 0:
        yield corrupt(f"it has {starts[0]:,} bytes of extra data before its first member").findings[0]
    for item, next_start in zip(located, starts[1:], strict=True):
        file.seek(item.end)
        between = next_start - item.end
        if _is_separator(file.read(min(between, 64)), between, item.member):
            continue
        path = shown(item.member.name)
        yield corrupt(f"it has {between:,} bytes of extra data after “{path}”", path=path).findings[0]


def _is_separator(raw: bytes, length: int, member: Member) -> bool:
    if not member.flags & SIZES_FOLLOW_FLAG:
        return length == 0
    expected = (member.crc, member.packed_bytes, member.size)
    return any(
        length == layout.size
        and layout.unpack(raw)[-3:] == expected
        and (len(layout.unpack(raw)) == 3 or raw.startswith(b"PK\x07\x08"))
        for layout in DESCRIPTORS
    )
