"""Imports at the top of a qaihub package's model.py that must fail, each with its line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from scoring.contracts.ai_hub import LIBRARY, MAX_NAME_CHARACTERS, advice, not_provided
from scoring.packages.python_modules import is_sibling, is_there


def problems(tree: ast.Module, root: Path, model_id: str) -> Iterator[str]:
    """Name each import that must fail; those inside `try`, `if` or a function may be meant to."""
    told: set[str] = set()
    for line, module, names in _imports(tree):
        top = module.partition(".")[0]
        if top != LIBRARY:
            if not is_sibling(top, root) and not is_there(top):
                yield f"line {line} imports {module[:MAX_NAME_CHARACTERS]}, which is not installed for entries"
            continue
        missing = not_provided(module, names, model_id)
        if missing:
            more = advice(missing[0], model_id)
            shown = ", ".join(missing)[:MAX_NAME_CHARACTERS]
            yield f"line {line} imports {shown}, which Podium does not provide" + (
                f": {more}" if more not in told else ""
            )
            told.add(more)


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield line, module and names of each import of the top level that is not relative."""
    for node in tree.body:
        match node:
            case ast.Import():
                yield from ((node.lineno, alias.name, ()) for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module, tuple(alias.name for alias in node.names)
