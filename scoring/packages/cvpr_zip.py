"""The `cvpr-zip` format: `model.py` with `class Model`, and whatever files it needs beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from scoring.contracts import Finding, Format, Mismatch, Package, Settled, TrackSpec, Unpacked
from scoring.errors import reject
from scoring.packages.python_names import binds
from scoring.packages.python_source import parse

MAIN: Final = "model.py"
CLASS: Final = "Model"
MAX_QUOTED_CHARACTERS: Final = 200


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry with `model.py` at its root, or inside the one folder that wraps everything."""
    paths = [PurePosixPath(file.path) for file in unpacked.files if not is_litter(file.path)]
    folder = wrapping_folder(paths)
    if PurePosixPath(MAIN) in paths:
        return Package(
            format=Format.CVPR_ZIP, root=unpacked.root, main=MAIN, package_bytes=unpacked.package_bytes
        )
    if folder is not None and PurePosixPath(folder, MAIN) in paths:
        return Package(
            format=Format.CVPR_ZIP,
            root=unpacked.root / folder,
            main=MAIN,
            package_bytes=sum(file.size for file in unpacked.files if file.path.startswith(f"{folder}/")),
            warnings=(Finding(code="wrapping_folder", path=folder),),
        )
    return _mismatch(paths)


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Parse `model.py` and look for a binding of `Model` at its top level; imports nothing."""
    tree = parse(package)
    if not any(binds(node, CLASS) for node in tree.body):
        raise reject("invalid_config", path=MAIN, why=_no_model_reason(tree))
    return ()


def settle(package: Package, track: TrackSpec) -> Settled:
    """Leave the track as it is: a cvpr-zip takes the input that the track states."""
    return Settled(track=track)


def is_litter(path: str) -> bool:
    """Say whether a file is what macOS adds to archives by itself."""
    return path.startswith("__MACOSX/") or PurePosixPath(path).name == ".DS_Store"


def wrapping_folder(paths: Iterable[PurePosixPath]) -> str | None:
    """Return the one folder that holds every path, if there is one."""
    tops = {path.parts[0] if len(path.parts) > 1 else "" for path in paths}
    return tops.pop() if len(tops) == 1 and "" not in tops else None


def _mismatch(paths: Iterable[PurePosixPath]) -> Mismatch:
    elsewhere = sorted(str(path) for path in paths if path.name.casefold() == MAIN)
    if not elsewhere:
        return Mismatch(why=f"there is no {MAIN}")
    expected = f"{MAIN} in the archive's root (it is at “{elsewhere[0]}”)"
    return Mismatch(
        why=f"{MAIN} is not in the root but at “{elsewhere[0]}”",
        findings=(Finding(code="missing_file", path=elsewhere[0], facts={"expected": expected}),),
    )


def _no_model_reason(tree: ast.Module) -> str:
    classes = [f"{node.name} (line {node.lineno})" for node in tree.body if isinstance(node, ast.ClassDef)]
    if not classes:
        return f"it defines no class {CLASS}"
    return f"it defines no class {CLASS}, only {', '.join(classes)[:MAX_QUOTED_CHARACTERS]}"
