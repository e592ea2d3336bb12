"""Lists the files of a folder given instead of an archive, for the command line; follows no links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from scoring.contracts import ArchiveLimits, Finding
from scoring.intake.names import name_findings, shown
from scoring.intake.zip_members import SPECIAL_KINDS


def folder_files(root: Path, limits: ArchiveLimits) -> tuple[list[str], list[Finding]]:
    """Return the relative paths of all regular files below `root`, and all that is wrong."""
    paths: list[str] = []
    names: list[str] = []
    findings: list[Finding] = []
    for name, mode in _walk(root):
        names.append(name)
        if stat.S_ISREG(mode):
            paths.append(name)
        elif not stat.S_ISDIR(mode):
            what = SPECIAL_KINDS.get(stat.S_IFMT(mode), "special file")
            findings.append(Finding(code="link_in_archive", path=shown(name), facts={"what": what}))
    if len(names) > limits.max_files:
        facts = {"found": len(names), "allowed": limits.max_files}
        findings.append(Finding(code="too_many_files", facts=facts))
    return sorted(paths), [*name_findings(names, limits), *findings]


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
