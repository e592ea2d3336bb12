"""What nobody needs any more: codes that nothing raises, and what only tests use of functions, classes and names.

Read from the source, by names, beginning with what is called from outside. A name counts as used wherever it
could be meant, so whatever is found here deserves a look; what shares its name with something else may hide.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Final

from scoring.codes import CODES

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("scoring", "competition")
SCRIPTS: Final = ("pyproject.toml", "Makefile", "manage.py", ".ci/*", "docs/**/*.py")
TAG: Final = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)
CODE_IN_MARKDOWN: Final = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
DOTTED: Final = re.compile(r"[\w.:-]+")
# What Django reads as a whole, what stands in for the library that entries call, and the sandbox of tests,
# which is a part of the product: whoever writes a backend or a stage plays with it.
CALLED_BY_OTHERS: Final = re.compile(
    r"competition/(settings|(.+/)?urls)\.py|scoring/sandboxed/qaihub/|scoring/sandbox/fake\.py"
)
# A serializer's field and a form's field find their methods by name, and so does Django a middleware's.
FOUND_BY_NAME: Final = re.compile(r"(get|clean)_\w+|process_view")
# What these decorate is called by its name as before.
WRAPPERS: Final = sys.stdlib_module_names | {"django.db.transaction", *dir(builtins)}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Assignment = ast.Assign | ast.AnnAssign


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A file of the product."""

    path: Path
    tree: ast.Module

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    @cached_property
    def origins(self) -> Mapping[str, str]:
        """What the file takes from elsewhere, each name with its module."""
        froms = (node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom))
        return {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in froms
            for alias in node.names
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Defined:
    """A function, a class or another name of a module, or a method; `mentions` are the names in it."""

    name: str
    source: Source
    node: Definition | Assignment
    mentions: Set[str]
    owner: ast.ClassDef | None = None

    def __str__(self) -> str:
        owner = f"{self.owner.name}." if self.owner else ""
        return f"{self.source.place}: {owner}{self.name}"

    def is_among(self, mentioned: Set[str]) -> bool:
        return self.name in mentioned or f"{self.source.place}: {self.name}" in mentioned


@cache
def sources() -> tuple[Source, ...]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(
        Source(path=path, tree=ast.parse(path.read_text("utf-8")))
        for path in paths
        if "migrations" not in path.parts
    )


def unused() -> list[str]:
    """Return what neither the world outside nor anything that it uses could mean."""
    left = [each for source in sources() for each in _definitions(source)]
    mentioned = words_outside() | {name for source in sources() for name in _mentions_at_import(source)}
    while True:
        used = (
            [each for each in left if each.is_among(mentioned)]
            or [each for each in left if is_found_by_name(each)]
            or [each for each in left if overrides_a_library(each)]
        )
        if not used:
            return [str(each) for each in left]
        mentioned = mentioned.union(*(each.mentions for each in used))
        left = [each for each in left if each not in used]


def words_outside() -> Set[str]:
    """Return what is named outside the product: in templates' tags, in scripts, in the documentation's code."""
    texts = [file.read_text("utf-8") for name in SCRIPTS for file in ROOT.glob(name) if file.is_file()]
    for folder, kind, named in ((ROOT / "templates", "html", TAG), (ROOT / "docs", "md", CODE_IN_MARKDOWN)):
        for page in folder.rglob(f"*.{kind}"):
            texts += named.findall(page.read_text("utf-8"))
    return {word for text in texts for word in re.findall(r"\w+", text)}


# --- what a file defines, and what it mentions --------------------------------------------------------


def _definitions(source: Source) -> Iterator[Defined]:
    for node in source.tree.body:
        methods = _methods(node)
        mentions = frozenset(_mentions(source, node, without=methods))
        for name in _names_defined(node):
            if name == "__all__":
                continue  # a list of what may be imported uses none of it
            yield Defined(name=name, source=source, node=node, mentions=mentions)
        for method in methods:
            inside = frozenset(_mentions(source, method))
            yield Defined(name=method.name, source=source, node=method, mentions=inside, owner=node)


def _methods(node: ast.stmt) -> list[ast.FunctionDef]:
    return [
        each for each in getattr(node, "body", ()) if isinstance(node, ast.ClassDef) and _is_function(each)
    ]


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _names_defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, Definition):
        yield node.name
    elif isinstance(node, Assignment):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for name in (each for target in targets for each in ast.walk(target)):
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                yield name.id


def _mentions_at_import(source: Source) -> Iterator[str]:
    for node in source.tree.body:
        if not isinstance(node, Definition | Assignment):
            yield from _mentions(source, node)


def _mentions(source: Source, node: ast.AST, *, without: Iterable[ast.AST] = ()) -> Iterator[str]:
    """Yield the names in a tree; one that only its own file can mean goes with its file."""
    left: list[ast.AST] = [node]
    while left:
        node = left.pop()
        left += [child for child in ast.iter_child_nodes(node) if child not in without]
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            origin = source.origins.get(node.id)
            yield origin.rpartition(".")[2] if origin else f"{source.place}: {node.id}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED.fullmatch(node.value):
            # An admin's columns, a setting's dotted path, a lookup across relations.
            yield from re.split(r"[.:-]|__", node.value)


# --- what calls by other means than a name ------------------------------------------------------------


def is_found_by_name(defined: Defined) -> bool:
    """Say whether a decorator hands it on, or somebody who is not of the product looks for its name."""
    decorators = defined.node.decorator_list if isinstance(defined.node, Definition) else []
    return (
        re.fullmatch(r"__\w+__", defined.name) is not None
        or CALLED_BY_OTHERS.match(defined.source.place) is not None
        or (defined.owner is not None and FOUND_BY_NAME.fullmatch(defined.name) is not None)
        or any(_registers(each, defined.source) for each in decorators)
    )


def overrides_a_library(defined: Defined) -> bool:
    """Say whether a library's base class calls it, or is what makes Django find it."""
    if not isinstance(defined.node, Definition):
        return False
    loaded = getattr(import_module(defined.source.module), (defined.owner or defined.node).name)
    theirs = [base for base in _family(loaded) if not base.__module__.startswith(PACKAGES)]
    if defined.owner is None:
        return any(base.__module__.startswith("django.") for base in theirs)
    return any(hasattr(base, defined.name) for base in theirs)


def _registers(decorator: ast.expr, source: Source) -> bool:
    """Say whether a decorator may hand on what it decorates: `@app.command()` does, `@dataclass` does not."""
    root = ast.unparse(decorator).partition("(")[0].partition(".")[0]
    origin = source.origins.get(root, root)
    return not {root, origin, origin.partition(".")[0]} & WRAPPERS


def _family(loaded: object) -> Iterator[type]:
    """Yield the bases of a class and those of its heirs: a mixin overrides what stands beside it."""
    if isinstance(loaded, type):
        for one in (loaded, *loaded.__subclasses__()):
            yield from (base for base in one.__mro__ if base is not object)


# --- codes --------------------------------------------------------------------------------------------


def codes_raised() -> Set[str]:
    """Return every text that could be a raised code: no key of a table, and no member of an enum."""
    found: set[str] = set()
    for source in sources():
        if source.module != "scoring.codes":
            declared = {id(node) for node in _declared(source.tree)}
            found |= {
                node.value
                for node in ast.walk(source.tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in declared
            }
    return found


def _declared(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from (key for key in node.keys if key)
        elif isinstance(node, ast.ClassDef):
            yield from (member.value for member in node.body if isinstance(member, ast.Assign))


def test_every_code_of_the_table_is_raised_somewhere() -> None:
    assert set(CODES) - codes_raised() == set()


def test_everything_is_used_by_more_than_tests() -> None:
    assert unused() == []
