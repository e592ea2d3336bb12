"""Unpacks a tar, packed or not: regular files and folders only, under the same limits and codes as a zip."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

from scoring.contracts import ArchiveLimits, Finding, UnpackedFile
from scoring.errors import Rejected
from scoring.intake.links import copies, write_copies
from scoring.intake.names import name_findings, shown
from scoring.intake.packed_stream import PackedStream
from scoring.intake.tar_members import TarReader
from scoring.intake.writing import Meter, write_file
from scoring.intake.zip_end import corrupt

# Where a tar says what it is.
TAR_MAGIC: Final = b"ustar"
TAR_MAGIC_AT: Final = 257


def is_plain_tar(file: BinaryIO) -> bool:
    """Say whether the file is a tar that is not packed."""
    file.seek(TAR_MAGIC_AT)
    return file.read(len(TAR_MAGIC)) == TAR_MAGIC


def unpack_tar(file: BinaryIO, destination: Path, limits: ArchiveLimits) -> tuple[UnpackedFile, ...]:
    """Read the whole archive for what is wrong with it, and only then read it again and write.

    A stream has no directory: that a later member is a link or takes an earlier one's name shows at
    the end, and until then nothing may be on disk.
    """
    linked = _examine(file, limits)
    reader = TarReader(PackedStream(file, limits), limits)
    meter = Meter(limits)
    files = [
        write_file(destination, member.name, reader.pieces(), meter)
        for member in reader.members()
        if member.link is None and not member.name.endswith("/")
    ]
    return (*files, *write_copies(destination, linked, meter))


def _examine(file: BinaryIO, limits: ArchiveLimits) -> dict[str, str]:
    """Return what the links stand for; raise `Rejected` with all that is wrong."""
    reader = TarReader(PackedStream(file, limits), limits)
    meter = Meter(limits)
    names: list[str] = []
    links: dict[str, str] = {}
    linked: dict[str, str] = {}
    findings: list[Finding] = []
    try:
        for member in reader.members():
            if member.special is not None:
                facts = {"what": member.special}
                findings.append(Finding(code="link_in_archive", path=shown(member.name), facts=facts))
            if member.link is not None:
                links[member.name] = member.link
            names.append(member.name)
            meter.drain(reader.pieces())
        linked = copies(links, {name for name in names if name not in links}, limits)
    except Rejected as refusal:
        findings.extend(refusal.findings)
    findings = [*name_findings(names, limits), *findings]
    if findings:
        raise Rejected(*findings)
    if all(name.endswith("/") for name in names):
        raise corrupt("it is empty")
    return linked
