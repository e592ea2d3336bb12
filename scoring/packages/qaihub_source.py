"""What `model.py` of a qaihub package must define, seen in its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scoring.contracts import Finding
from scoring.packages import qaihub_imports

MAIN: Final = "model.py"
BASE: Final = "BaseModel"
# Models of several parts, and ones without PyTorch code.
OTHER_BASES: Final = ("CollectionModel", "BasePrecompiledModel")
METHODS: Final = ("from_pretrained", "get_input_spec", "get_output_names")
MAX_QUOTED_CHARACTERS: Final = 200


def problems(tree: ast.Module, root: Path, model_id: str) -> tuple[Finding, ...]:
    """Return what the sandbox could not run: no single model class, missing methods, missing imports."""
    models = _models(tree)
    reasons = [*qaihub_imports.problems(tree, root, model_id)]
    if len(models) == 1:
        reasons += _methods(models[0])
    elif models:
        names = ", ".join(f"{node.name} (line {node.lineno})" for node in models)[:MAX_QUOTED_CHARACTERS]
        reasons.append(f"it defines {len(models)} subclasses of {BASE} instead of one: {names}")
    else:
        reasons.append(f"it defines no subclass of {BASE}{_others(tree)}")
    return tuple(Finding(code="invalid_config", path=MAIN, facts={"why": why}) for why in reasons)


def _models(tree: ast.Module) -> list[ast.ClassDef]:
    """Return the classes that derive from BaseModel, also by way of another class of the file."""
    names, found = {BASE} | _renamed(tree), []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(_last_name(base) in names for base in node.bases):
            names.add(node.name)
            found.append(node)
    return found


def _others(tree: ast.Module) -> str:
    """Say which other base of the library a class has, if one does."""
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    found = (
        f"{node.name} is a {name}"
        for node in classes
        for name in map(_last_name, node.bases)
        if name in OTHER_BASES
    )
    told = next(found, "")
    return f"; {told}, which does not run here"[:MAX_QUOTED_CHARACTERS] if told else ""


def _renamed(tree: ast.Module) -> set[str]:
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    return {alias.asname for node in imports for alias in node.names if alias.name == BASE and alias.asname}


def _last_name(base: ast.expr) -> str:
    match base:
        case ast.Name():
            return base.id
        case ast.Attribute():
            return base.attr
    return ""


def _methods(model: ast.ClassDef) -> Iterator[str]:
    defined = {node.name: node for node in model.body if isinstance(node, ast.FunctionDef)}
    for name in METHODS:
        if name not in defined:
            yield f"class {model.name} does not define {name}"
    pretrained = defined.get("from_pretrained")
    if pretrained is None:
        return
    if "classmethod" not in {_last_name(decorator) for decorator in pretrained.decorator_list}:
        yield f"{model.name}.from_pretrained (line {pretrained.lineno}) is no classmethod"
    bare = _without_default(pretrained.args)[1:]
    if bare:
        yield f"{model.name}.from_pretrained has no default for {', '.join(bare)[:MAX_QUOTED_CHARACTERS]}"


def _without_default(arguments: ast.arguments) -> list[str]:
    placed = [*arguments.posonlyargs, *arguments.args]
    bare = placed[: len(placed) - len(arguments.defaults)]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [argument.arg for argument in bare] + [argument.arg for argument, value in named if value is None]
