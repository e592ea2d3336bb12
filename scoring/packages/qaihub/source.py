"""What `model.py` of a qaihub package must define, seen in its syntax tree: refused is only what is certain."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scoring.contracts import DEFAULT_ENVIRONMENT, Finding
from scoring.contracts.ai_hub import (
    BASE,
    INSTEAD,
    LIBRARY,
    MAX_NAME_CHARACTERS,
    METHODS,
    MODELS,
    OTHER_BASES,
    REPOSITORIES,
    advice,
    is_named_only,
    not_provided,
    repository,
)
from scoring.environment import lack_of
from scoring.packages.python_source import binds, is_sibling, is_there
from scoring.packages.qaihub.classes import Kind, Seen, classes, last_name

MAIN: Final = "model.py"
PRETRAINED: Final = "from_pretrained"
MAX_QUOTED_CHARACTERS: Final = 200


def problems(
    tree: ast.Module, root: Path, model_id: str, environment: str = DEFAULT_ENVIRONMENT
) -> tuple[Finding, ...]:
    """Return what the sandbox could not run: no single model class, missing methods, missing imports.

    `environment` names the packages that the entry runs with.
    """
    of_classes = (_invalid(why) for why in _classes(tree, root))
    return (*of_classes, *_import_problems(tree, root, model_id, environment))


def _invalid(why: str) -> Finding:
    return Finding(code="invalid_config", path=MAIN, facts={"why": why})


def _classes(tree: ast.Module, root: Path) -> Iterator[str]:
    found = classes(tree, root)
    # Of two classes with one name the later counts; one inside a block may not be there at all.
    models = {
        node.name: (node, seen) for node, seen in found if seen.kind is Kind.MODEL and node in tree.body
    }
    for name in _bases(tree):
        # What another class derives from is no model of its own.
        models.pop(name, None)
    if len(models) > 1:
        names = ", ".join(f"{node.name} (line {node.lineno})" for node, _ in models.values())
        shown = names[:MAX_QUOTED_CHARACTERS]
        yield f"it defines {len(models)} subclasses of {BASE} instead of one: {shown}{_others(found)}"
    elif models:
        yield from _methods(*next(iter(models.values())), tree)
    elif all(seen.kind is Kind.OTHER for _, seen in found) and not _has_hidden_classes(tree, found):
        yield f"it does not define a subclass of {BASE}{_others(found)}"


def _bases(tree: ast.Module) -> set[str]:
    """Return the names that classes of the file derive from, those in functions and blocks as well."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {last_name(base) for node in nodes for base in node.bases}


def _has_hidden_classes(tree: ast.Module, found: list[tuple[ast.ClassDef, Seen]]) -> bool:
    """Say whether a class with bases is defined inside a function or another class."""
    seen = {node for node, _ in found}
    return any(isinstance(node, ast.ClassDef) and node.bases and node not in seen for node in ast.walk(tree))


def _others(found: list[tuple[ast.ClassDef, Seen]]) -> str:
    """Say which other base of the library a class has, if one does."""
    names = ((node.name, last_name(base)) for node, _ in found for base in node.bases)
    told = next((f"{name} is a {base}" for name, base in names if base in OTHER_BASES), "")
    if not told:
        return ""
    return (
        f"; {told}, and a track scores one PyTorch model: enter the part that answers as a {BASE} of its own"
    )


def _methods(model: ast.ClassDef, seen: Seen, tree: ast.Module) -> Iterator[str]:
    if seen.methods is not None:
        for name in METHODS:
            if name not in seen.methods and not any(_is_set_later(tree, each) for each in _ways(name)):
                yield f"class {model.name} does not define {name}"
    bound = [node for node in model.body if binds(node, PRETRAINED)]
    if len(bound) == 1 and isinstance(bound[0], ast.FunctionDef) and not _is_set_later(tree, PRETRAINED):
        yield from _pretrained(model, bound[0])


def _ways(method: str) -> tuple[str, ...]:
    return (method, *INSTEAD.get(method, ()))


def _is_set_later(tree: ast.Module, name: str) -> bool:
    """Say whether the name is set on some object, or stands in a text that setattr could be given."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Constant) and node.value == name)
        for node in ast.walk(tree)
    )


def _pretrained(model: ast.ClassDef, method: ast.FunctionDef) -> Iterator[str]:
    decorators = {last_name(decorator) for decorator in method.decorator_list}
    if decorators <= {"staticmethod"}:
        yield f"{model.name}.{PRETRAINED} (line {method.lineno}) is not a classmethod"
    # Another decorator may fill in arguments.
    if decorators <= {"staticmethod", "classmethod"}:
        bare = _without_default(method.args)["staticmethod" not in decorators :]
        if bare:
            yield f"{model.name}.{PRETRAINED} has no default for {', '.join(bare)[:MAX_QUOTED_CHARACTERS]}"


def _without_default(arguments: ast.arguments) -> list[str]:
    placed = [*arguments.posonlyargs, *arguments.args]
    bare = placed[: len(placed) - len(arguments.defaults)]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [argument.arg for argument in bare] + [argument.arg for argument, value in named if value is None]


def _import_problems(tree: ast.Module, root: Path, model_id: str, environment: str) -> Iterator[Finding]:
    """Name each import that must fail; those inside `try`, `if` or a function may be meant to."""
    told: set[str] = set()
    for line, module, names in _imports(tree):
        top = module.partition(".")[0]
        if top != LIBRARY:
            known = is_sibling(top, root) or is_there(top, environment) or is_named_only(module)
            if not known:
                facts = lack_of(top[:MAX_NAME_CHARACTERS], environment, at=f" in line {line}")
                yield Finding(code="not_installed", path=MAIN, facts=facts)
            continue
        missing = tuple(
            name for name in _missing(module, names, root, model_id) if not _is_brought(name, root)
        )
        if missing:
            more = advice(missing[0], model_id)
            shown = ", ".join(missing)[:MAX_NAME_CHARACTERS]
            more_once = f": {more}" if more not in told else ""
            yield _invalid(f"line {line} imports {shown}, which Podium does not provide{more_once}")
            told.add(more)


def _missing(module: str, names: tuple[str, ...], root: Path, model_id: str) -> tuple[str, ...]:
    """Return what is not provided, and a module inside a clone that the entry does not bring."""
    cloned = repository(module)
    if cloned is None:
        return not_provided(module, names, model_id)
    package, name = cloned
    own = f"{MODELS}.{model_id}"
    folder = root if package == own else root.joinpath(*package.split("."))
    return () if (folder / REPOSITORIES / name).is_dir() else (module,)


def _is_brought(name: str, root: Path) -> bool:
    """Say whether the entry brings that part of the library: a module, or the module that has that name."""
    parts = name.split(".")
    return any(
        path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
        for path in (root.joinpath(*parts), root.joinpath(*parts[:-1]))
        if path.is_relative_to(root / LIBRARY / "models")
    )


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield line, module and names of each import of the top level that is not relative."""
    for node in tree.body:
        match node:
            case ast.Import():
                yield from ((node.lineno, alias.name, ()) for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module, tuple(alias.name for alias in node.names)
