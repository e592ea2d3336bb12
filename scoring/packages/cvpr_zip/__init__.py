"""The `cvpr-zip` format: `model.py` with `class Model`, and any files that it needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from scoring.contracts import Finding, Format, Mismatch, Package, Settled, TrackSpec, Unpacked
from scoring.errors import reject
from scoring.packages.python_names import binds
from scoring.packages.python_source import parse
from scoring.packages.wrapping import locate, own_paths

MAIN: Final = "model.py"
CLASS: Final = "Model"
MAX_QUOTED_CHARACTERS: Final = 200


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry with `model.py` at its root, or inside the one folder that wraps everything."""
    place = locate(unpacked, lambda paths: PurePosixPath(MAIN) in paths)
    return place.package(Format.CVPR_ZIP, main=MAIN) if place else _mismatch(own_paths(unpacked))


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Parse `model.py` and look for a binding of `Model` at its top level; imports nothing."""
    tree = parse(package)
    if not any(binds(node, CLASS) for node in tree.body):
        raise reject("invalid_config", path=MAIN, why=_no_model_reason(tree))
    return ()


def settle(package: Package, track: TrackSpec) -> Settled:
    """Leave the track as it is: a cvpr-zip takes the input that the track states."""
    return Settled(track=track)


def _mismatch(paths: Iterable[PurePosixPath]) -> Mismatch:
    elsewhere = sorted(str(path) for path in paths if path.name.casefold() == MAIN)
    if not elsewhere:
        return Mismatch(why=f"it has no {MAIN}")
    expected = f"{MAIN} in the archive's root (it is at “{elsewhere[0]}”)"
    return Mismatch(
        why=f"{MAIN} is at “{elsewhere[0]}”, not in the root",
        findings=(Finding(code="missing_file", path=elsewhere[0], facts={"expected": expected}),),
    )


def _no_model_reason(tree: ast.Module) -> str:
    classes = [f"{node.name} (line {node.lineno})" for node in tree.body if isinstance(node, ast.ClassDef)]
    if not classes:
        return f"it does not define class {CLASS}"
    return f"it does not define class {CLASS}, only {', '.join(classes)[:MAX_QUOTED_CHARACTERS]}"
