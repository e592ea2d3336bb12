"""Reads an entry's Python files as text: parses them, finds what they bind and what they import; runs nothing."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from scoring.contracts import DEFAULT_ENVIRONMENT, Package
from scoring.environment import packages_path
from scoring.errors import reject

# Python's parser takes some hundred bytes for each byte of source.
MAX_SOURCE_BYTES: Final = 2**20
STANDARD: Final = sys.stdlib_module_names


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


def binds(node: ast.stmt, name: str) -> bool:
    """Say whether a top-level statement, or one inside its `if`, `try` or `with`, may bind the name."""
    match node:
        case ast.ClassDef() | ast.FunctionDef():
            return node.name == name
        case ast.Import() | ast.ImportFrom():
            return any((alias.asname or alias.name) in {name, "*"} for alias in node.names)
        case ast.Assign():
            return any(_names(target, name) for target in node.targets)
        case ast.AnnAssign():
            return node.value is not None and _names(node.target, name)
        case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
            return any(binds(child, name) for child in _nested(node))
    return False


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of the top level and those inside its `if`, `try`, `with` and loops."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            waiting.extend(_nested(node))


def _nested(node: ast.stmt) -> Iterable[ast.stmt]:
    handlers = [child for handler in getattr(node, "handlers", []) for child in handler.body]
    blocks = [child for name in ("body", "orelse", "finalbody") for child in getattr(node, name, [])]
    return [*blocks, *handlers]


def _names(target: ast.expr, name: str) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return any(_names(element, name) for element in target.elts)
    return isinstance(target, ast.Name) and target.id == name


def is_sibling(name: str, root: Path) -> bool:
    """Say whether the top-level name is a file or folder of the package."""
    return (root / f"{name}.py").is_file() or (root / name).is_dir()


def is_there(name: str, environment: str = DEFAULT_ENVIRONMENT) -> bool:
    """Say whether entries of an environment run with the module of that top-level name."""
    return name in STANDARD or PathFinder.find_spec(name, packages_path(environment)) is not None
