"""The call of `load_model`: what model_config.yaml hands to it, and whether its signature takes that.

The values are plain, since they cross into the sandbox as JSON; the signature is read from the source alone.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from math import isfinite
from typing import Any, Final

from scoring.packages.python_source import binds, statements

MAX_ARGUMENTS: Final = 100
MAX_DEPTH: Final = 8
MAX_INTEGER: Final = 2**63
MAX_SHOWN: Final = 60
FUNCTION = "load_model"


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


def load_model_problems(tree: ast.Module, arguments: Collection[str] | None) -> Iterator[str]:
    """Yield what keeps `load_model(weights_path, **arguments)` from being called; None: any arguments."""
    if not any(binds(node, FUNCTION) for node in tree.body):
        yield f"it must define {FUNCTION}(weights_path, num_classes); {_what_instead(tree)}"
        return
    functions = [
        node for node in statements(tree) if isinstance(node, ast.FunctionDef) and node.name == FUNCTION
    ]
    # Bound in another way, or wrapped by a decorator: the child looks at the object itself.
    if arguments is not None and len(functions) == 1 and not functions[0].decorator_list:
        yield from _call_problems(functions[0].args, arguments)


def _what_instead(tree: ast.Module) -> str:
    if any(isinstance(node, ast.AsyncFunctionDef) and node.name == FUNCTION for node in statements(tree)):
        return "its load_model is async and would return a coroutine; make it a plain def"
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return f"it defines only {', '.join(names)[:200]}" if names else "it does not define any function"


def _call_problems(taken: ast.arguments, arguments: Collection[str]) -> Iterator[str]:
    positional = [*taken.posonlyargs, *taken.args]
    if not positional and taken.vararg is None:
        yield f"{FUNCTION}() takes no positional argument; its first must be the path of the weights"
        return
    first = positional[0].arg if positional else ""
    if first in arguments:
        yield f"the first argument of {FUNCTION}() is “{first}”; it must be the path of the weights"
    if taken.kwarg is None:
        yield from _name_problems(taken, [name for name in arguments if name != first])
    missing = [name for name in _required(taken) if name != first and name not in arguments]
    if missing:
        yield (
            f"{FUNCTION}() needs {', '.join(missing)[:200]}, which “model” in "
            "model_config.yaml does not provide"
        )


def _name_problems(taken: ast.arguments, arguments: Collection[str]) -> Iterator[str]:
    by_place = {each.arg for each in taken.posonlyargs}
    by_name = {each.arg for each in (*taken.args, *taken.kwonlyargs)}
    unnamed = [name for name in arguments if name in by_place]
    if unnamed:
        yield (
            f"{FUNCTION}() takes {', '.join(unnamed)[:200]} by position only, but “model” in "
            "model_config.yaml passes it by name; remove the “/” from its arguments"
        )
    unknown = [name for name in arguments if name not in by_place | by_name]
    if unknown:
        yield (
            f"{FUNCTION}() does not take {', '.join(unknown)[:200]}, which “model” in "
            "model_config.yaml passes; add them to its arguments, or add **kwargs"
        )


def _required(taken: ast.arguments) -> Iterator[str]:
    positional = [*taken.posonlyargs, *taken.args]
    for each in positional[: len(positional) - len(taken.defaults)]:
        yield each.arg
    for each, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True):
        if default is None:
            yield each.arg
