"""Tells a misspelt field, which would change what a model is fed, from one that people wrote for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final

from scoring.contracts import Finding

ALIKE: Final = 0.7
"""How alike a misspelling is to what was meant, by `difflib`."""
METADATA: Final = frozenset(
    {
        *("architecture", "author", "authors", "backbone", "crop_pct", "date", "description", "framework"),
        *("input_size", "interpolation", "license", "mean", "notes", "std", "task", "type", "url"),
    }
)
"""Fields that people write for people, whatever they look like."""
MAX_NAMED: Final = 20


def meant(name: Any, known: Collection[str]) -> str:
    """Return the known field that an unknown one is a misspelling of, if it looks like one."""
    near = get_close_matches(str(name), list(known), n=1, cutoff=ALIKE)
    return "" if name in METADATA or not near else near[0]


def ignored_finding(path: str, fields: Iterable[str]) -> Iterator[Finding]:
    """Yield the warning that nobody reads these fields of a file, if there are any."""
    named = list(fields)
    if named:
        more = " and others" if len(named) > MAX_NAMED else ""
        facts = {"fields": ", ".join(named[:MAX_NAMED]) + more}
        yield Finding(code="config_fields_ignored", path=path, facts=facts)
