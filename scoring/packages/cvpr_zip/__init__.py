"""The `cvpr-zip` format: `model.py` with `class Model`, and any files that it needs."""

from __future__ import annotations

import ast
from typing import Final

from scoring.contracts import Finding, Format, Mismatch, Package, Settled, TrackSpec, Unpacked
from scoring.errors import reject
from scoring.packages.python_source import binds, parse
from scoring.packages.wrapping import match_by_file

MAIN: Final = "model.py"
CLASS: Final = "Model"
MAX_QUOTED_CHARACTERS: Final = 200


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry with `model.py` at its root, or inside the one folder that wraps everything."""
    return match_by_file(unpacked, Format.CVPR_ZIP, name=MAIN, main=MAIN)


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Parse `model.py` and look for a binding of `Model` at its top level; imports nothing."""
    tree = parse(package)
    if not any(binds(node, CLASS) for node in tree.body):
        raise reject("invalid_config", path=MAIN, why=_no_model_reason(tree))
    return ()


def settle(package: Package, track: TrackSpec) -> Settled:
    """Leave the track as it is: a cvpr-zip takes the input that the track states."""
    return Settled(track=track)


def _no_model_reason(tree: ast.Module) -> str:
    classes = [f"{node.name} (line {node.lineno})" for node in tree.body if isinstance(node, ast.ClassDef)]
    if not classes:
        return f"it does not define class {CLASS}"
    return f"it does not define class {CLASS}, only {', '.join(classes)[:MAX_QUOTED_CHARACTERS]}"
