"""A dataset as one zip: unpacked with care, packed so that equal data give equal bytes.

Trusts the organiser's intent, never the zip: names must stay inside the folder, and bytes are
counted as they are read.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from scoring.data.labels import LABELS_FILE, DatasetProblem, LabelTable, raise_findings

CHUNK_BYTES: Final = 2**20
MAX_MEMBERS: Final = 2_000_000
ENCRYPTED_FLAG: Final = 0x1
UTF8_FLAG: Final = 0x800
FIXED_TIME: Final = (1980, 1, 1, 0, 0, 0)
UNIX: Final = 3
JUNK: Final = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


def unpack(
    stream: BinaryIO, folder: Path, *, max_bytes: int, tick: Callable[[], None] = lambda: None
) -> Path:
    """Unpack a zip into an empty folder and return where its labels.csv lies; raise `DatasetProblem`."""
    try:
        with zipfile.ZipFile(stream) as archive:
            members = [member for member in archive.infolist() if not _is_ignored(member)]
            raise_findings(list(_member_findings(members)))
            _extract(archive, members, folder, max_bytes, tick)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as exc:
        raise DatasetProblem((f"the zip cannot be read: {exc}",)) from exc
    return _data_folder(folder)


def pack(folder: Path, table: LabelTable, stream: BinaryIO) -> None:
    """Write labels.csv and the dataset's other files: sorted, stored, with fixed times and modes."""
    names = (LABELS_FILE, *table.named_files())
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            member = zipfile.ZipInfo(name, date_time=FIXED_TIME)
            member.create_system = UNIX
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            member.file_size = (folder / name).stat().st_size
            with (folder / name).open("rb") as source, archive.open(member, "w") as target:
                while chunk := source.read(CHUNK_BYTES):
                    target.write(chunk)


def _is_ignored(member: zipfile.ZipInfo) -> bool:
    return member.is_dir() or is_clutter(member.filename)


def is_clutter(name: str) -> bool:
    """Say whether a name is one that file managers leave in zips; unpacking passes over it."""
    return any(part in JUNK for part in PurePosixPath(name).parts)


def _member_findings(members: list[zipfile.ZipInfo]) -> Iterator[str]:
    if len(members) > MAX_MEMBERS:
        yield f"the zip has {len(members):,} files; at most {MAX_MEMBERS:,} are allowed"
        return
    for name, times in Counter(map(_name, members)).items():
        if times > 1:
            yield f"“{name}” is in the zip {times} times"
    for member in members:
        if why := _why_refused(member):
            yield f"“{_name(member)}” {why}"


def _name(member: zipfile.ZipInfo) -> str:
    """Return the member's name: macOS writes UTF-8 without saying so, which `zipfile` reads as code page 437."""
    if member.flag_bits & UTF8_FLAG:
        return member.filename
    try:
        return member.filename.encode("cp437").decode()
    except UnicodeError:
        return member.filename


def _why_refused(member: zipfile.ZipInfo) -> str:
    name = _name(member)
    # zipfile replaces os.sep only; a name is refused rather than mended, lest it lead out of the folder.
    if not name.isprintable() or "\\" in name or ":" in name:
        return "has a backslash, a colon or a control character"
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        return "is not a plain relative path"
    if member.flag_bits & ENCRYPTED_FLAG:
        return "is encrypted"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        # A link would later be followed to a file of this server.
        return "is a link or a special file"
    return ""


def _extract(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    folder: Path,
    max_bytes: int,
    tick: Callable[[], None],
) -> None:
    left = max_bytes
    for member in members:
        target = folder / _name(member)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("xb") as out:
                while chunk := source.read(CHUNK_BYTES):
                    left -= len(chunk)
                    if left < 0:
                        raise DatasetProblem((f"the zip unpacks to more than {max_bytes:,} bytes",))
                    out.write(chunk)
                    tick()
        except OSError as exc:
            raise DatasetProblem((f"“{_name(member)}” cannot be unpacked: {exc.strerror}",)) from exc


def _data_folder(folder: Path) -> Path:
    """Look for labels.csv at the root, or inside the only folder there is."""
    if (folder / LABELS_FILE).is_file():
        return folder
    inside = list(folder.iterdir())
    if len(inside) == 1 and (inside[0] / LABELS_FILE).is_file():
        return inside[0]
    raise DatasetProblem((f"{LABELS_FILE} is missing from the root of the zip",))
