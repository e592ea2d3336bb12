"""The `qaihub` format: a model folder of AI Hub Models, its `model.py` with one `BaseModel` subclass."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from scoring.contracts import Finding, Format, Mismatch, Package, Settled, TrackSpec, Unpacked
from scoring.errors import Rejected
from scoring.packages import qaihub_info, qaihub_requirements, qaihub_source
from scoring.packages.cvpr_zip import is_litter, wrapping_folder
from scoring.packages.python_source import MAX_SOURCE_BYTES, parse

MAIN: Final = "model.py"
LIBRARY: Final = b"qai_hub_models"


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry whose `model.py`, at its root or in its one folder, names the library."""
    paths = [PurePosixPath(file.path) for file in unpacked.files if not is_litter(file.path)]
    folder = "" if PurePosixPath(MAIN) in paths else wrapping_folder(paths) or ""
    if PurePosixPath(folder, MAIN) not in paths:
        expected = "model.py in the archive's root"
        return Mismatch(
            why=f"there is no {MAIN} in the root",
            findings=(Finding(code="missing_file", path=MAIN, facts={"expected": expected}),),
        )
    root = unpacked.root / folder
    with (root / MAIN).open("rb") as source:
        if LIBRARY not in source.read(MAX_SOURCE_BYTES):
            return Mismatch(why=f"its {MAIN} takes nothing from qai_hub_models")
    prefix = f"{folder}/" if folder else ""
    return Package(
        format=Format.QAIHUB,
        root=root,
        main=MAIN,
        package_bytes=sum(file.size for file in unpacked.files if file.path.startswith(prefix)),
        warnings=(Finding(code="wrapping_folder", path=folder),) if folder else (),
    )


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Check source, requirements and info.yaml without running anything; raise with all that is wrong."""
    source = qaihub_source.problems(parse(package), package.root)
    requirements = qaihub_requirements.read(package.root)
    info = qaihub_info.read(package.root)
    problems = (*source, *requirements.problems, *info.problems)
    if problems:
        raise Rejected(*problems)
    return (*requirements.warnings, *info.warnings)


def settle(package: Package, track: TrackSpec) -> Settled:
    """Leave the track as it is, and tell the loader under which name the folder's files import each other."""
    return Settled(track=track, options={"model_id": qaihub_info.read(package.root).model_id})
