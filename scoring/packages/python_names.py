"""What names an entry's syntax tree binds at its top level."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator


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
