"""Parses an entry's Python file into a syntax tree without importing or running it."""

from __future__ import annotations

import ast
import warnings
from typing import Final

from scoring.contracts import Package
from scoring.errors import reject

# Python's parser takes some hundred bytes for each byte of source.
MAX_SOURCE_BYTES: Final = 2**20


def parse(package: Package) -> ast.Module:
    """Return the tree of the package's main file; raise `Rejected` (`invalid_config`) if it has none."""
    source, shown = package.root / package.main, package.main
    if source.stat().st_size > MAX_SOURCE_BYTES:
        raise reject("invalid_config", path=shown, why=f"the file is longer than {MAX_SOURCE_BYTES:,} bytes")
    try:
        with warnings.catch_warnings():
            # "\d" in a plain string only warns, and that is the entrant's business.
            warnings.simplefilter("ignore")
            return ast.parse(source.read_bytes(), filename=shown)
    except (SyntaxError, ValueError) as exc:
        # A null byte is a ValueError up to Python 3.11.3, and names no line.
        line, problem = getattr(exc, "lineno", None), getattr(exc, "msg", str(exc))
        where = f"line {line}" if line else "the start of the file"
        raise reject("invalid_config", path=shown, why=f"invalid Python at {where}: {problem}") from exc
    except (RecursionError, MemoryError) as exc:
        # Source nested thousands of levels deep, meant to break the parser.
        raise reject("invalid_config", path=shown, why="the code is too deeply nested to parse") from exc
