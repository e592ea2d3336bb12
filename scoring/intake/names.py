"""Checks the names of an entry's members; trusts none of them, and touches no disk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from scoring.contracts import ArchiveLimits, Finding

MAX_COMPONENT_BYTES: Final = 255
MAX_PATH_BYTES: Final = 1_024
MAX_SHOWN_CHARACTERS: Final = 200
ROOT: Final = "./"
"""How archives of a folder's content name the folder, as Windows' and macOS' own tar writes zips."""
DRIVE: Final = re.compile(r"[A-Za-z]:")

# Control, format (right-to-left overrides), surrogate, unassigned and line-separator characters:
# each lets a name look like another one, or write into a terminal or a log.
UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})


def shown(name: str) -> str:
    """Return a hostile name in a form that is safe to print and not too long."""
    head = name[:MAX_SHOWN_CHARACTERS]
    text = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in head
    )
    return text if len(name) <= MAX_SHOWN_CHARACTERS else text + "…"


def plain_name(name: str) -> str:
    """Return the name without the `./` that tar writes before each (`tar -cf entry.tar .`); "" for `./` itself."""
    while name.startswith("./"):
        name = name[2:]
    return "" if name == "." else name


def name_findings(names: Iterable[str], limits: ArchiveLimits) -> list[Finding]:
    """Return what is wrong with the names, alone and among each other; folders end with a slash."""
    findings: list[Finding] = []
    safe: list[str] = []
    for name in names:
        why = unsafe_reason(name, max_depth=limits.max_depth)
        if why is None:
            safe.append(name)
        else:
            findings.append(Finding(code="unsafe_path", path=shown(name), facts={"why": why}))
    return [*findings, *collisions(safe)]


def unsafe_reason(name: str, *, max_depth: int) -> str | None:
    """Say why a name is not a safe relative path, or return None if it is one."""
    parts = name.removesuffix("/").split("/")
    reasons = (
        (name.startswith("/"), "it is absolute"),
        (DRIVE.match(name) is not None, "it starts with a drive letter"),
        ("\\" in name, "it contains a backslash"),
        (".." in parts, "it leads to a parent folder"),
        ("" in parts or "." in parts, "it has an empty or “.” component"),
        (
            any(unicodedata.category(char) in UNSAFE_CATEGORIES for char in name),
            "it contains control characters",
        ),
        (
            _is_too_long(name, parts),
            f"a component is longer than {MAX_COMPONENT_BYTES} bytes, or the whole longer than {MAX_PATH_BYTES}",
        ),
        (len(parts) > max_depth, f"it is {len(parts)} levels deep; at most {max_depth} are allowed"),
    )
    return next((why for broken, why in reasons if broken), None)


def _is_too_long(name: str, parts: list[str]) -> bool:
    longest = max(len(part.encode(errors="surrogateescape")) for part in parts)
    return longest > MAX_COMPONENT_BYTES or len(name.encode(errors="surrogateescape")) > MAX_PATH_BYTES


def collisions(names: Iterable[str]) -> Iterator[Finding]:
    """Yield names that some file system would store in the same place as another one.

    A scanner that sees one of two equal names and a loader that sees the other is an attack; names
    that differ in case or Unicode form only are the same on macOS and Windows.
    """
    spelling: dict[str, str] = {}
    members: set[str] = set()
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        path = name.removesuffix("/")
        other = _first_clash(path, spelling, files) or (path if _key(path) in members else None)
        if other is None and not name.endswith("/") and _key(path) in folders:
            other = spelling[_key(path)]
        if other is not None:
            yield Finding(code="duplicate_name", path=shown(name), facts={"other": shown(other)})
            continue
        members.add(_key(path))
        _remember(name, path, spelling=spelling, files=files, folders=folders)


def _first_clash(path: str, spelling: dict[str, str], files: set[str]) -> str | None:
    for prefix in _prefixes(path):
        known = spelling.get(_key(prefix))
        if known is None:
            continue
        # Another spelling of the same place, or a file that would have to be a folder.
        if known != prefix or (prefix != path and _key(prefix) in files):
            return known
    return None


def _remember(name: str, path: str, *, spelling: dict[str, str], files: set[str], folders: set[str]) -> None:
    for prefix in _prefixes(path):
        spelling.setdefault(_key(prefix), prefix)
        if prefix != path or name.endswith("/"):
            folders.add(_key(prefix))
    if not name.endswith("/"):
        files.add(_key(path))


def _prefixes(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _key(path: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())
