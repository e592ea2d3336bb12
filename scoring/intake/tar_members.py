"""Reads the members of a tar strictly, block by block: it has one meaning, or it is refused.

The blocks are walked here rather than by `tarfile.open`, which reads names of any declared length
into memory, guesses at damaged headers, and stops silently where others would read on. Only the
fields of one header block are left to `tarfile`.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scoring.contracts import ArchiveLimits
from scoring.errors import reject
from scoring.intake.links import leads_to
from scoring.intake.names import plain_name, shown
from scoring.intake.packed_stream import CHUNK_BYTES, PackedStream
from scoring.intake.zip_end import corrupt

BLOCK: Final = tarfile.BLOCKSIZE
MAX_EXTENSION_BYTES: Final = 2**16
MAX_PADDING_BYTES: Final = 2**20
REGULAR: Final = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})
EMPTY: Final = frozenset(
    {tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE}
)
LINKS: Final = frozenset({tarfile.LNKTYPE, tarfile.SYMTYPE})
SPECIAL_KINDS: Final = {
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "named pipe",
    tarfile.CONTTYPE: "contiguous file",
    tarfile.GNUTYPE_SPARSE: "sparse file",
}
RECORD: Final = re.compile(rb"([1-9][0-9]{0,5}) ([^=\0\n]{1,200})=")
# Keys that change what a member is; a global one would change every member after it.
MEANINGFUL: Final = frozenset({"path", "linkpath", "size", "hdrcharset"})


@dataclass(frozen=True, kw_only=True)
class TarMember:
    """One member; a folder's name ends with a slash.

    `link` is where a link leads, from the root. `special` names anything but a file, folder or link.
    """

    name: str
    size: int
    link: str | None = None
    special: str | None = None


class TarReader:
    """Walks a tar; each member's bytes are read, by `pieces`, before the next member is asked for."""

    def __init__(self, stream: PackedStream, limits: ArchiveLimits) -> None:
        self._stream = stream
        self._limits = limits
        self._unread = 0
        self._padding = 0

    def members(self) -> Iterator[TarMember]:
        """Yield the members in order; raise `Rejected` where the tar is damaged or has two readings."""
        count = 0
        long_name: str | None = None
        long_link: str | None = None
        records: dict[str, str] = {}
        while (header := self._header()) is not None:
            if header.type == tarfile.GNUTYPE_LONGNAME and long_name is None:
                long_name = _text(self._extension(header).rstrip(b"\0"))
            elif header.type == tarfile.GNUTYPE_LONGLINK and long_link is None:
                long_link = _text(self._extension(header).rstrip(b"\0"))
            elif header.type == tarfile.XHDTYPE and not records:
                records = _records(self._extension(header))
            elif header.type == tarfile.XGLTYPE:
                _refuse_global(_records(self._extension(header)))
            else:
                count += 1
                if count > self._limits.max_files:
                    raise reject("too_many_files", found=count, allowed=self._limits.max_files)
                member = self._member(_named(header, long_name, long_link, records), records)
                if member is not None:
                    yield member
                self._skip()
                long_name, long_link, records = None, None, {}
        if long_name is not None or long_link is not None or records:
            raise corrupt("it ends after a name, before the member that the name belongs to")

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the member that was yielded last."""
        while self._unread:
            piece = self._read(min(self._unread, CHUNK_BYTES))
            self._unread -= len(piece)
            yield piece

    def _member(self, header: tarfile.TarInfo, records: dict[str, str]) -> TarMember | None:
        """Return the member, or None for the folder that all others lie in (“./”)."""
        name = plain_name(header.name)
        if records.get("size", str(header.size)) != str(header.size):
            raise corrupt(f"“{shown(name)}” has two different sizes")
        if header.type == tarfile.DIRTYPE and header.size:
            raise corrupt(f"the folder “{shown(name)}” has content")
        # Links carry no bytes, whatever size their header gives.
        self._expect(0 if header.type in EMPTY else header.size)
        special = _special_kind(header, name, records)
        if header.type != tarfile.DIRTYPE:
            link = _link(header, name) if special is None else None
            return TarMember(name=name, size=self._unread, link=link, special=special)
        return TarMember(name=f"{name.removesuffix('/')}/", size=0, special=special) if name else None

    def _header(self) -> tarfile.TarInfo | None:
        block = self._stream.read(BLOCK)
        if not block.strip(b"\0"):
            if len(block) < BLOCK:
                raise corrupt("its tar archive is cut short: the end mark is missing")
            self._read_padding()
            return None
        try:
            # Names that are no UTF-8 become surrogates, which the check of names refuses.
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as exc:
            raise corrupt("it does not contain a tar archive, or the archive is damaged") from exc
        if header.size < 0:
            raise corrupt("a member has a negative size")
        return header

    def _extension(self, header: tarfile.TarInfo) -> bytes:
        # A name that is declared to be gigabytes long would fill the memory.
        if header.size > MAX_EXTENSION_BYTES:
            raise corrupt(f"a member's name or attributes take more than {MAX_EXTENSION_BYTES:,} bytes")
        self._expect(header.size)
        content = b"".join(self.pieces())
        self._skip()
        return content

    def _expect(self, size: int) -> None:
        self._unread = size
        self._padding = -size % BLOCK

    def _skip(self) -> None:
        for _ in self.pieces():
            pass
        if self._padding:
            self._read(self._padding)
            self._padding = 0

    def _read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        if len(piece) < size:
            raise corrupt("its tar archive is cut short in the middle of a member")
        return piece

    def _read_padding(self) -> None:
        """Read the zeros that follow the end mark; members after them are hidden from some readers."""
        read = 0
        while piece := self._stream.read(CHUNK_BYTES):
            read += len(piece)
            if piece.strip(b"\0") or read > MAX_PADDING_BYTES:
                raise corrupt("it has extra data after the end of its tar archive")


def _named(
    header: tarfile.TarInfo, long_name: str | None, long_link: str | None, records: dict[str, str]
) -> tarfile.TarInfo:
    """Return the header with the name and the link that its extensions give it, at most one of each."""
    for long, key in ((long_name, "path"), (long_link, "linkpath")):
        if long is not None and key in records:
            raise corrupt("a member has two different names")
    header.name = records.get("path", header.name if long_name is None else long_name)
    header.linkname = records.get("linkpath", header.linkname if long_link is None else long_link)
    return header


def _link(header: tarfile.TarInfo, name: str) -> str | None:
    """Return where a link leads, from the root: a symbolic one is told from its folder, a hard one from there."""
    if header.type == tarfile.SYMTYPE:
        return leads_to(name, header.linkname)
    return header.linkname if header.type == tarfile.LNKTYPE else None


def _special_kind(header: tarfile.TarInfo, name: str, records: dict[str, str]) -> str | None:
    if any(key.startswith("GNU.sparse.") for key in records):
        return "sparse file"
    if header.type in REGULAR | LINKS:
        # A folder to one reader and a file to another.
        return "file with a folder's name" if name.endswith("/") else None
    return None if header.type == tarfile.DIRTYPE else SPECIAL_KINDS.get(header.type, "special file")


def _records(content: bytes) -> dict[str, str]:
    """Parse extended attributes: lines of "LENGTH KEY=VALUE"; each key at most once."""
    records: dict[str, str] = {}
    at = 0
    while at < len(content):
        found = RECORD.match(content, at)
        end = at + int(found[1]) if found else 0
        if found is None or not found.end() < end <= len(content) or content[end - 1 : end] != b"\n":
            raise corrupt("a member's extended attributes are damaged")
        key, value = _text(found[2]), content[found.end() : end - 1]
        if key in records:
            raise corrupt(f"a member has the attribute “{shown(key)}” twice")
        if key == "hdrcharset" or (key in MEANINGFUL and b"\0" in value):
            raise corrupt(
                f"a member has an attribute “{shown(key)}” that different readers interpret differently"
            )
        records[key] = _text(value)
        at = end
    return records


def _refuse_global(records: dict[str, str]) -> None:
    changed = [key for key in records if key in MEANINGFUL or key.startswith("GNU.sparse.")]
    if changed:
        raise corrupt(f"it sets “{shown(changed[0])}” for all members at once")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
