"""requirements.txt of a qaihub package: compared with what entries run with, never installed, so nothing rejects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scoring.contracts import DEFAULT_ENVIRONMENT, Finding
from scoring.packages.qaihub.entry_packages import EntryPackages, entry_packages

NAME: Final = "requirements.txt"
MAX_BYTES: Final = 64 * 1024
MAX_QUOTED_CHARACTERS: Final = 100
COMMENT: Final = re.compile(r"(^|\s)#.*")
OPTION: Final = re.compile(r"(^|\s)-")
NO_PIN: Final = "does not pin one version with =="


def read(root: Path, environment: str = DEFAULT_ENVIRONMENT) -> tuple[Finding, ...]:
    """Return where the file's pins differ from what entries run with, and its lines that are no pins.

    `environment` names the packages that the entry runs with.
    """
    path = root / NAME
    if not path.is_file():
        return ()
    if path.stat().st_size > MAX_BYTES:
        return (_problem(f"it is longer than {MAX_BYTES:,} bytes"),)
    try:
        # As pip reads it, with or without the mark that Windows sets before UTF-8.
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        return (_problem("it is not UTF-8 text"),)
    pins, problems = [], []
    for number, line in _lines(text):
        pin = _pin(line)
        if isinstance(pin, str):
            problems.append(_problem(f"line {number}: “{_shown(line)}” {pin}"))
        else:
            pins.append(pin)
    pins = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    packages = entry_packages(environment)
    differences = [warning for pin in pins for warning in _difference(pin, packages)]
    return (*problems, *_contradictions(pins), *differences)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield what each line asks for with its number; a backslash at the end goes on in the next line."""
    started, asked = 0, ""
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        started = started or number
        # As pip reads it: a comment begins at the start or after a blank.
        asked += COMMENT.sub("", line)
        if asked.endswith("\\"):
            asked = asked[:-1]
            continue
        if asked.strip():
            yield started, asked.strip()
        started, asked = 0, ""


def _pin(line: str) -> Requirement | str:
    """Return the line as a pin, or what is wrong with it.

    Wrong are ranges, options (-r, --index-url, --hash), addresses and git+https, and a condition that
    cannot be told, such as python_version ~= "abc".
    """
    if OPTION.search(line):
        return "has an option; a line with name==version would be compared with what entries run with"
    try:
        requirement = Requirement(line)
        if requirement.marker is not None:
            requirement.marker.evaluate()
    except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, RecursionError):
        # RecursionError: thousands of brackets in a condition.
        return NO_PIN
    pins = [part for part in requirement.specifier if part.operator == "==" and "*" not in part.version]
    is_pinned = len(pins) == len(requirement.specifier) == 1 and requirement.url is None
    return requirement if is_pinned else NO_PIN


def _contradictions(pins: Iterable[Requirement]) -> Iterator[Finding]:
    """Name each package that is pinned to several versions."""
    asked: dict[str, list[str]] = {}
    for pin in pins:
        versions = asked.setdefault(canonicalize_name(pin.name), [])
        version = next(iter(pin.specifier)).version
        if not any(Version(version) == Version(other) for other in versions):
            versions.append(version)
    for name, versions in asked.items():
        if len(versions) > 1:
            yield _problem(f"{_shown(name)} is pinned to {_shown(' and '.join(versions))}; keep only one")


def _difference(pin: Requirement, packages: EntryPackages) -> Iterator[Finding]:
    version = packages.version(pin.name)
    if version is not None and pin.specifier.contains(version, prereleases=True):
        return
    found = f"{pin.name} {version}" if version else "without it"
    if packages.pinned is None:
        found += " (as installed on this machine)"
    facts = {"asked": _shown(f"{pin.name}{pin.specifier}"), "found": found}
    yield Finding(code="pins_differ", path=NAME, facts=facts)


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:MAX_QUOTED_CHARACTERS])


def _problem(why: str) -> Finding:
    return Finding(code="unpinned_requirement", path=NAME, facts={"why": why})
