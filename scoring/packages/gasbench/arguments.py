"""What a gasbench configuration hands to `load_model`: plain values that cross into the sandbox as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any, Final

MAX_ARGUMENTS: Final = 100
MAX_DEPTH: Final = 8
MAX_INTEGER: Final = 2**63
MAX_SHOWN: Final = 60


def argument_problems(arguments: Any) -> Iterator[str]:
    """Yield what keeps the section `model` from being handed on by name and unchanged."""
    if not isinstance(arguments, dict):
        return
    if len(arguments) > MAX_ARGUMENTS:
        yield f"{len(arguments)} keys; at most {MAX_ARGUMENTS} are allowed"
        return
    for name, value in arguments.items():
        if not isinstance(name, str) or not name.isidentifier():
            yield f"“{shown(name)}” cannot be an argument name"
        elif not _is_plain(value, MAX_DEPTH):
            yield f"{shown(name)} is not a plain value (text, number, true, false, null, or a list or table of these)"


def _is_plain(value: Any, depth: int) -> bool:
    """Say whether a value crosses into the sandbox as JSON, unchanged."""
    match value:
        case None | bool() | str():
            return True
        case int():
            return abs(value) < MAX_INTEGER
        case float():
            return isfinite(value)
        case list():
            return depth > 0 and all(_is_plain(each, depth - 1) for each in value)
        case dict():
            return depth > 0 and all(
                isinstance(name, str) and _is_plain(each, depth - 1) for name, each in value.items()
            )
    return False


def shown(part: object) -> str:
    """Return a hostile name in a form that is safe to print and not too long."""
    return ascii(str(part)[:MAX_SHOWN])[1:-1]
