"""Unpacks an entry into a folder of plain files under limits; trusts nothing in it.

An entry is a zip, a tar (packed with gzip, bzip2 or xz, or not at all), a single ONNX model, or (on the
command line) a folder. Limits count bytes that were really read, never declared sizes. All that is wrong
is reported at once, the gravest first.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from scoring.contracts import ArchiveLimits, Finding, Unpacked, UnpackedFile
from scoring.errors import Fault, Rejected, reject
from scoring.intake.folder import folder_files
from scoring.intake.links import copies, leads_to, write_copies
from scoring.intake.names import MAX_PATH_BYTES, ROOT, name_findings, unsafe_reason
from scoring.intake.onnx_file import looks_like_onnx
from scoring.intake.packed_stream import PACKINGS
from scoring.intake.tar_file import is_plain_tar, unpack_tar
from scoring.intake.writing import Meter, write_file
from scoring.intake.zip_directory import read_directory
from scoring.intake.zip_end import corrupt, has_end_record
from scoring.intake.zip_members import Located, is_link, is_readable, kind_findings, locate
from scoring.intake.zip_reading import CHUNK_BYTES, read_member

GRAVITY: Final = (
    "unsafe_path",
    "link_in_archive",
    "duplicate_name",
    "compression_ratio_too_high",
    "archive_too_large",
    "too_many_files",
    "encrypted_archive",
    "unknown_compression",
    "corrupt_archive",
    "not_an_archive",
)
# More would only fill pages and the database: an archive of thousands of bad names is one attack.
MAX_FINDINGS: Final = 100
SINGLE_MODEL_NAME: Final = "model.onnx"

Unpacker = Callable[[BinaryIO, Path, ArchiveLimits], tuple[UnpackedFile, ...]]


def unpack(entry: Path, *, destination: Path, limits: ArchiveLimits) -> Unpacked:
    """Unpack `entry` into the new folder `destination`; leave nothing there when it is refused.

    Raises `Rejected` with every problem found, or `Fault` when the disk fails.
    """
    unpack_entry = _unpack_folder if entry.is_dir() else _unpack_file
    try:
        destination.mkdir(parents=True)
    except OSError as exc:
        raise Fault("the folder to unpack into could not be created") from exc
    try:
        files = unpack_entry(entry, destination, limits)
    except Rejected as refusal:
        shutil.rmtree(destination, ignore_errors=True)
        raise Rejected(*gravest_first(refusal.findings)) from refusal
    except OSError as exc:
        shutil.rmtree(destination, ignore_errors=True)
        raise Fault("the entry could not be read or written to disk") from exc
    ordered = tuple(sorted(files, key=lambda file: file.path))
    return Unpacked(root=destination, files=ordered, package_bytes=sum(file.size for file in ordered))


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings by how grave their code is, keeping the order of finding within a code."""
    return sorted(findings, key=lambda finding: GRAVITY.index(finding.code))[:MAX_FINDINGS]


def _unpack_file(entry: Path, destination: Path, limits: ArchiveLimits) -> tuple[UnpackedFile, ...]:
    if not entry.is_file():
        raise reject("not_an_archive")
    with entry.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > limits.max_entry_bytes:
            raise reject("archive_too_large", allowed_bytes=limits.max_entry_bytes, what="as uploaded")
        magic = file.read(8)
        for prefix, unpacker in UNPACKERS.items():
            if magic.startswith(prefix):
                return unpacker(file, destination, limits)
        # Some zip readers accept any data before the archive: to them this file is another thing.
        if has_end_record(file, size):
            raise corrupt("it has extra data before its first member")
        if entry.suffix.casefold() == ".onnx" or looks_like_onnx(file, size):
            return _unpack_single_model(file, entry.name, destination, limits)
        if is_plain_tar(file):
            return unpack_tar(file, destination, limits)
    raise reject("not_an_archive")


def _unpack_single_model(
    file: BinaryIO, name: str, destination: Path, limits: ArchiveLimits
) -> tuple[UnpackedFile, ...]:
    is_plain = name.casefold().endswith(".onnx") and unsafe_reason(name, max_depth=1) is None
    path = name if is_plain else SINGLE_MODEL_NAME
    file.seek(0)
    return (write_file(destination, path, _pieces(file), Meter(limits)),)


def _unpack_folder(entry: Path, destination: Path, limits: ArchiveLimits) -> tuple[UnpackedFile, ...]:
    found = folder_files(entry, limits)
    meter = Meter(limits)
    files = []
    for path in found.paths:
        with (entry / path).open("rb") as file:
            files.append(write_file(destination, path, _pieces(file), meter))
    return (*files, *write_copies(destination, found.copies, meter))


def _unpack_zip(file: BinaryIO, destination: Path, limits: ArchiveLimits) -> tuple[UnpackedFile, ...]:
    size = os.fstat(file.fileno()).st_size
    directory = read_directory(file, size, limits)
    if not directory.members:
        raise corrupt("it is empty")
    names = name_findings([each.name for each in directory.members if each.name != ROOT], limits)
    kinds = list(kind_findings(directory.members))
    located, layout = locate(file, directory)
    readable = [item for item in located if is_readable(item.member)]
    linked, of_links = _follow_links(file, readable, limits)
    findings = [*names, *kinds, *of_links, *layout]
    meter = Meter(limits)
    files, bytes_found = _extract(file, readable, None if findings else destination, meter)
    if findings or bytes_found:
        raise Rejected(*findings, *bytes_found)
    return (*files, *write_copies(destination, linked, meter))


def _follow_links(
    file: BinaryIO, located: Iterable[Located], limits: ArchiveLimits
) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """Return what the links of a zip stand for, or what is wrong with them."""
    links, files = {}, set()
    for item in located:
        if is_link(item.member):
            links[item.member.name] = leads_to(item.member.name, _link_text(file, item))
        elif not item.member.name.endswith("/"):
            files.add(item.member.name)
    try:
        return copies(links, files, limits), ()
    except Rejected as refusal:
        return {}, refusal.findings


def _link_text(file: BinaryIO, item: Located) -> str:
    """Return the path that a link holds, or enough of it to be too long; all bytes are checked elsewhere."""
    try:
        text = next(read_member(file, item), b"")
    except Rejected:
        return ""
    return text[: MAX_PATH_BYTES + 1].decode(errors="surrogateescape")


def _extract(
    file: BinaryIO, located: Iterable[Located], destination: Path | None, meter: Meter
) -> tuple[tuple[UnpackedFile, ...], list[Finding]]:
    """Read every member; write the files unless the archive is refused already (no destination)."""
    files: list[UnpackedFile] = []
    findings: list[Finding] = []
    for item in located:
        name, packed_bytes = item.member.name, item.end - item.start
        pieces = meter.watch_ratio(name, packed_bytes, read_member(file, item))
        try:
            if destination is not None and not (name.endswith("/") or is_link(item.member)):
                files.append(write_file(destination, name, pieces, meter))
            else:
                meter.drain(pieces)
        except Rejected as refusal:
            findings.extend(refusal.findings)
            if refusal.code == "archive_too_large":
                break
    return tuple(files), findings


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(CHUNK_BYTES):
        yield piece


# Another kind of archive is one more line: how its file begins, and what unpacks it.
UNPACKERS: Final[dict[bytes, Unpacker]] = {
    b"PK\x03\x04": _unpack_zip,
    b"PK\x05\x06": _unpack_zip,
    b"PK\x06\x06": _unpack_zip,
    b"PK\x07\x08": _unpack_zip,
    **dict.fromkeys(PACKINGS, unpack_tar),
}
