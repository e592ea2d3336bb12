"""What GASBench's scan is known to block in model.py: advice for those who go there too.

Nothing here protects anybody: a scan is walked around by whoever wants to, and the sandbox is what
holds an entry. The scan itself is private; these are the names that its documentation lists.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

MODULES: Final = frozenset(
    [
        "os",
        "sys",
        "subprocess",
        "shutil",
        "socket",
        "requests",
        "urllib",
        "http",
        "asyncio",
        "aiohttp",
        "httpx",
        "ftplib",
        "smtplib",
        "telnetlib",
        "pickle",
        "marshal",
        "shelve",
        "dill",
        "cloudpickle",
        "joblib",
        "importlib",
        "builtins",
        "code",
        "runpy",
        "numba",
        "cython",
        "ctypes",
        "cffi",
        "mmap",
        "signal",
        "multiprocessing",
        "concurrent",
        "threading",
        "apex",
        "deepspeed",
        "tensorboard",
        "wandb",
        "mlflow",
        "boto3",
        "azure",
        "sqlite3",
        "psycopg2",
        "pymongo",
        "redis",
        "tempfile",
        "glob",
        "h5py",
        "pty",
        "tty",
        "termios",
    ]
)
PARTS: Final = (
    "google.cloud",
    "torch.utils.cpp_extension",
    "torch.jit.script",
    "torch.jit.trace",
    "numpy.ctypeslib",
)
CALLS: Final = frozenset(["eval", "exec", "compile", "__import__", "getattr", "setattr", "globals", "locals"])
MAX_TOLD: Final = 10
MAX_ATTRIBUTES: Final = 4


def blocked(tree: ast.Module) -> list[str]:
    """Return what GASBench is known to block in a source, in the order of lines, each thing once."""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        for what in _blocked(node):
            line: int = node.lineno  # type: ignore[attr-defined]  # each of these nodes has one
            found[what] = min(line, found.get(what, line))
    by_line = sorted((line, what) for what, line in found.items())
    told = [f"line {line} {what}" for line, what in by_line[:MAX_TOLD]]
    return [*told, "more"] if len(by_line) > MAX_TOLD else told


def _blocked(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from _imports(alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield from _imports(f"{module}.{alias.name}" for alias in names)
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield f"calls {name}"
        case ast.Attribute() if (name := _dotted(node)) in PARTS:
            yield f"uses {name}"


def _imports(names: Iterator[str]) -> Iterator[str]:
    for name in names:
        if name.partition(".")[0] in MODULES:
            yield f"imports {name.partition('.')[0]}"
        yield from (f"imports {part}" for part in PARTS if f"{name}.".startswith(f"{part}."))


def _dotted(node: ast.expr) -> str:
    """Return a short chain of attributes of a name as it is written; empty for anything else."""
    names: list[str] = []
    # Without a bound, thousands of attributes in a row would be walked from each of them again.
    while isinstance(node, ast.Attribute) and len(names) < MAX_ATTRIBUTES:
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""
