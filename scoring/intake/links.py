"""Follows the links of an entry by name, on paper: what stays inside becomes a copy, and none is ever made on disk."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from scoring.contracts import ArchiveLimits, Finding, UnpackedFile
from scoring.errors import Rejected
from scoring.intake.names import MAX_PATH_BYTES, name_findings, shown
from scoring.intake.writing import Meter, write_file

# Links of links, each through many folders, would keep us busy for minutes.
MAX_STEPS: Final = 8
MAX_PARTS: Final = 64
COPIED_BYTES: Final = 2**20
OUTSIDE: Final = "link that leads out of the entry"

Links = Mapping[str, str]
"""Each link's name with the path that it leads to, from the root of the entry; see `leads_to`."""


class _Lost(Exception):
    """A link leads to no file of the entry; its text says what sort of link it is."""


def leads_to(name: str, target: str) -> str:
    """Return the path that a symbolic link's text means, from the root; one that is absolute stays so."""
    return posixpath.join(posixpath.dirname(name), target)


def copies(links: Links, files: Collection[str], limits: ArchiveLimits) -> dict[str, str]:
    """Return the files that the links stand for, each with the file whose copy it is.

    Raises `Rejected` with every link that leads out of the entry, nowhere, in a circle, or to a folder
    that holds links itself, which could double at each level.
    """
    found: dict[str, str] = {}
    findings: list[Finding] = []
    folders, with_links = _below(files), _below(links)
    for name, target in links.items():
        try:
            end = _resolved(target, links)
            if end in with_links:
                raise _Lost(f"link to “{shown(end)}”, a folder that holds links itself")
            found.update(_files_of(name, end, files, folders))
        except _Lost as exc:
            findings.append(Finding(code="link_in_archive", path=shown(name), facts={"what": str(exc)}))
        # Counted as they come: links to folders could stand for the square of what the archive holds.
        if len(found) + len(files) > limits.max_files:
            facts = {"found": len(found) + len(files), "allowed": limits.max_files}
            findings.append(Finding(code="too_many_files", facts=facts))
            break
    findings += name_findings([name for name in found if name not in links], limits)
    if findings:
        raise Rejected(*findings)
    return found


def write_copies(root: Path, found: Mapping[str, str], meter: Meter) -> Iterator[UnpackedFile]:
    """Write each copy beside the files, which are there already; its bytes count as any file's."""
    for name, origin in found.items():
        with (root / origin).open("rb") as file:
            yield write_file(root, name, iter(lambda: file.read(COPIED_BYTES), b""), meter)


def _files_of(
    name: str, end: str, files: Collection[str], folders: Mapping[str, list[str]]
) -> dict[str, str]:
    if end in files:
        return {name: end}
    if end not in folders:
        raise _Lost(f"link to “{shown(end)}”, which is not in the entry")
    return {f"{name}{path.removeprefix(end)}": path for path in folders[end]}


def _below(names: Iterable[str]) -> dict[str, list[str]]:
    """Return what lies below each folder, at any depth."""
    found: dict[str, list[str]] = {}
    for name in names:
        for folder in _parents(name):
            found.setdefault(folder, []).append(name)
    return found


def _resolved(path: str, links: Links) -> str:
    """Walk the path as a file system would, through links on the way too."""
    here, ahead = "", _parts(path)
    steps = 0
    while ahead:
        here = _step(here, ahead.pop(0))
        if here in links:
            # What a link means is told from the root.
            here, ahead = "", [*_parts(links[here]), *ahead]
            steps += 1
        if steps > MAX_STEPS:
            raise _Lost(f"link that leads in a circle, or over more than {MAX_STEPS} others")
    return here


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if path.startswith("/"):
        raise _Lost(OUTSIDE)
    if len(parts) > MAX_PARTS or len(path.encode(errors="surrogateescape")) > MAX_PATH_BYTES:
        raise _Lost("link to a path that is too long")
    return parts


def _step(here: str, part: str) -> str:
    """Return where one part of a path leads from a folder, the root being empty."""
    if part in {"", "."}:
        return here
    if part != "..":
        return posixpath.join(here, part)
    if not here:
        raise _Lost(OUTSIDE)
    return posixpath.dirname(here)


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name
