"""requirements.txt of a qaihub package: each line pins one package with `==`; compared, never installed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from scoring.contracts import Finding

NAME: Final = "requirements.txt"
MAX_BYTES: Final = 64 * 1024
MAX_QUOTED_CHARACTERS: Final = 100


@dataclass(frozen=True)
class Requirements:
    """What is wrong with the file, and where its pins differ from what entries run with."""

    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def read(root: Path) -> Requirements:
    """Read the file if there is one; a package without it asks for nothing."""
    path = root / NAME
    if not path.is_file():
        return Requirements()
    if path.stat().st_size > MAX_BYTES:
        return Requirements(problems=(_problem(f"longer than {MAX_BYTES:,} bytes"),))
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return Requirements(problems=(_problem("it is no UTF-8 text"),))
    problems, warnings = [], []
    for number, line in enumerate(text.splitlines(), start=1):
        # As pip reads it: a comment begins at the start or after a blank.
        asked = "" if line.lstrip().startswith("#") else line.partition(" #")[0].strip()
        if not asked:
            continue
        pin = _pin(asked)
        if pin is None:
            shown = "".join(c if c.isprintable() else "?" for c in asked[:MAX_QUOTED_CHARACTERS])
            problems.append(_problem(f"line {number}: “{shown}” does not pin one version with =="))
        else:
            warnings += _difference(pin)
    return Requirements(problems=tuple(problems), warnings=tuple(warnings))


def _pin(line: str) -> Requirement | None:
    """Return the line as a pin; None for ranges, options (-r, --index-url), addresses and git+https.

    None too for a condition that cannot be told, such as python_version ~= "abc".
    """
    try:
        requirement = Requirement(line)
        if requirement.marker is not None:
            requirement.marker.evaluate()
    except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, RecursionError):
        # RecursionError: thousands of brackets in a condition.
        return None
    pins = [part for part in requirement.specifier if part.operator == "==" and "*" not in part.version]
    is_pinned = len(pins) == len(requirement.specifier) == 1 and requirement.url is None
    return requirement if is_pinned else None


def _difference(pin: Requirement) -> list[Finding]:
    if pin.marker is not None and not pin.marker.evaluate():
        return []
    try:
        found = metadata.version(pin.name)
    except metadata.PackageNotFoundError:
        found = ""
    if found and pin.specifier.contains(found, prereleases=True):
        return []
    facts = {"asked": f"{pin.name}{pin.specifier}", "found": f"{pin.name} {found}" if found else "without it"}
    return [Finding(code="pins_differ", path=NAME, facts=facts)]


def _problem(why: str) -> Finding:
    return Finding(code="invalid_config", path=NAME, facts={"why": why})
