"""What came out of an entry, made fit for the database: hostile text and numbers that rows refuse."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from scoring.contracts import Finding

MAX_LOG_CHARACTERS: Final = 2**20


def text(value: str, *, max_characters: int = MAX_LOG_CHARACTERS) -> str:
    """Return the text without what PostgreSQL refuses, cut to a length.

    A NUL or a lone surrogate in a log or a file name would otherwise make every attempt to record
    the result fail: an entry that can never be rejected.
    """
    cut = value[:max_characters].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return cut.encode("utf-8", "replace").decode("utf-8")


def plain(value: object) -> Any:
    """Return the value as JSON knows it; NaN and infinity, which JSON does not know, become words."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(str(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {text(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return text(str(value))


def findings(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as rows keep them: code, path and facts; text is rendered when shown."""
    return [{"code": f.code, "path": text(f.path), "facts": plain(f.facts)} for f in found]
