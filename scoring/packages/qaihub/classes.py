"""Which classes of an entry's file are models for certain, which may be, and which cannot be.

Only what every run would find is certain. A base from the folder's own files, a name that is bound
twice and whatever is computed are left to the sandbox.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from scoring.contracts.ai_hub import INSTEAD, LIBRARY, METHODS, OTHER_BASES, PROVIDED, SUPPLIED
from scoring.packages.python_source import STANDARD, binds, is_sibling, is_there, statements

_BLOCKS: Final = (ast.If, ast.Try, ast.With, ast.For, ast.While)


class Kind(Enum):
    """Whether a class derives from the library's BaseModel."""

    MODEL = "model"
    UNKNOWN = "unknown"
    OTHER = "other"


@dataclass(frozen=True)
class Seen:
    """What is known of a class: its kind, and which of a model's methods it has; None if that is open."""

    kind: Kind
    methods: frozenset[str] | None = None


UNKNOWN: Final = Seen(Kind.UNKNOWN)
PLAIN: Final = Seen(Kind.OTHER, frozenset())


def classes(tree: ast.Module, root: Path) -> list[tuple[ast.ClassDef, Seen]]:
    """Return each class of the top level and of its blocks, in their order, with what is known of it."""
    return list(_File(tree, root).read())


def last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name; empty for other expressions."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
    return ""


class _File:
    """The file's classes so far, and what its names stand for."""

    def __init__(self, tree: ast.Module, root: Path) -> None:
        self._seen: dict[ast.ClassDef, Seen] = {}
        self._plain = [node for node in statements(tree) if not isinstance(node, _BLOCKS)]
        self._root = root

    def read(self) -> Iterator[tuple[ast.ClassDef, Seen]]:
        for node in self._plain:
            if isinstance(node, ast.ClassDef):
                self._seen[node] = _seen(node, [self._base(base) for base in node.bases])
                yield node, self._seen[node]

    def _base(self, node: ast.expr) -> Seen:
        parts = list(_parts(node))
        if not parts:
            return UNKNOWN
        bound = [node for node in self._plain if binds(node, parts[0])]
        match bound:
            case [] if len(parts) == 1 and hasattr(builtins, parts[0]):
                return PLAIN
            case [ast.ClassDef() as local] if len(parts) == 1:
                return self._seen.get(local, UNKNOWN)
            case [ast.Import() | ast.ImportFrom(level=0) as imported] if not _takes_all(imported):
                return self._imported(_full_name(imported, parts))
        return UNKNOWN

    def _imported(self, name: str) -> Seen:
        top, (module, _, last) = name.partition(".")[0], name.rpartition(".")
        if top == LIBRARY:
            return _of_library(module, last)
        if is_sibling(top, self._root) or not is_there(top):
            return UNKNOWN
        return PLAIN if top in STANDARD or top == "torch" else Seen(Kind.OTHER)


def _of_library(module: str, name: str) -> Seen:
    if name in OTHER_BASES:
        return PLAIN
    if name not in PROVIDED.get(module, ()):
        return UNKNOWN
    return Seen(Kind.MODEL, SUPPLIED[name]) if name in SUPPLIED else PLAIN


def _seen(node: ast.ClassDef, bases: list[Seen]) -> Seen:
    kinds = {base.kind for base in bases} | ({Kind.UNKNOWN} if node.keywords else set())
    kind = next((kind for kind in (Kind.MODEL, Kind.UNKNOWN) if kind in kinds), Kind.OTHER)
    known = [base.methods for base in bases if base.methods is not None]
    if len(known) < len(bases) or node.keywords or node.decorator_list:
        return Seen(kind)
    own = (name for name in METHODS if any(_provides(statement, name) for statement in node.body))
    return Seen(kind, frozenset(own).union(*known))


def _provides(node: ast.stmt, method: str) -> bool:
    return any(_defines(node, name) for name in (method, *INSTEAD.get(method, ())))


def _defines(node: ast.stmt, name: str) -> bool:
    return binds(node, name) or (isinstance(node, ast.AsyncFunctionDef) and node.name == name)


def _parts(node: ast.expr) -> Iterator[str]:
    """Yield the parts of a dotted name; nothing for other expressions."""
    match node:
        case ast.Name():
            yield node.id
        case ast.Subscript():
            # Generic[T] derives from Generic.
            yield from _parts(node.value)
        case ast.Attribute():
            before = list(_parts(node.value))
            if before:
                yield from (*before, node.attr)


def _takes_all(node: ast.Import | ast.ImportFrom) -> bool:
    return any(alias.name == "*" for alias in node.names)


def _full_name(node: ast.Import | ast.ImportFrom, parts: list[str]) -> str:
    first = next(alias.name for alias in node.names if parts[0] == (alias.asname or alias.name))
    if isinstance(node, ast.ImportFrom):
        first = f"{node.module}.{first}"
    return ".".join((first, *parts[1:]))
