"""Lists the files of a folder given instead of an archive, for the command line; links are followed on paper."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scoring.contracts import ArchiveLimits, Finding
from scoring.errors import Rejected
from scoring.intake.links import copies, leads_to
from scoring.intake.names import name_findings, shown
from scoring.intake.zip_members import SPECIAL_KINDS


@dataclass(frozen=True, kw_only=True)
class FolderFiles:
    """Relative paths of the regular files, and the files that links stand for, each with the one it is a copy of."""

    paths: tuple[str, ...]
    copies: Mapping[str, str]


def folder_files(root: Path, limits: ArchiveLimits) -> FolderFiles:
    """Return all files below `root`; raise `Rejected` with all that is wrong."""
    paths: list[str] = []
    names: list[str] = []
    links: dict[str, str] = {}
    findings: list[Finding] = []
    for name, mode in _walk(root):
        names.append(name)
        if stat.S_ISREG(mode):
            paths.append(name)
        elif stat.S_ISLNK(mode):
            links[name] = leads_to(name, os.fspath((root / name).readlink()))
        elif not stat.S_ISDIR(mode):
            what = SPECIAL_KINDS.get(stat.S_IFMT(mode), "special file")
            findings.append(Finding(code="link_in_archive", path=shown(name), facts={"what": what}))
    if len(names) > limits.max_files:
        facts = {"found": len(names), "allowed": limits.max_files}
        findings.append(Finding(code="too_many_files", facts=facts))
    linked = {}
    try:
        linked = copies(links, set(paths), limits)
    except Rejected as refusal:
        findings += refusal.findings
    findings = [*name_findings(names, limits), *findings]
    if findings:
        raise Rejected(*findings)
    return FolderFiles(paths=tuple(sorted(paths)), copies=linked)


def _walk(root: Path) -> Iterator[tuple[str, int]]:
    """Yield each member's relative name, folders with a slash at the end, and its mode."""
    for folder, folders, files in os.walk(root, onerror=_raise):
        for name in sorted((*folders, *files)):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            relative = path.relative_to(root).as_posix()
            yield (f"{relative}/" if stat.S_ISDIR(mode) else relative), mode


def _raise(error: OSError) -> None:
    raise error
