"""The `qaihub` format: a model folder of AI Hub Models, its `model.py` with one `BaseModel` subclass."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from scoring.contracts import Finding, Format, Mismatch, Package, Settled, TrackSpec, Unpacked
from scoring.errors import Rejected
from scoring.packages.python_source import MAX_SOURCE_BYTES, parse
from scoring.packages.qaihub.info import read as read_info
from scoring.packages.qaihub.requirements import read as read_requirements
from scoring.packages.qaihub.source import problems as source_problems
from scoring.packages.wrapping import folder_of, locate

MAIN: Final = "model.py"
LIBRARY: Final = b"qai_hub_models"
MAX_FINDINGS: Final = 100


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry whose `model.py`, at its root or in its one folder, names the library."""
    place = locate(unpacked, lambda paths: PurePosixPath(MAIN) in paths)
    if place is None:
        expected = "model.py in the archive's root"
        return Mismatch(
            why=f"it has no {MAIN} in its root",
            findings=(Finding(code="missing_file", path=MAIN, facts={"expected": expected}),),
        )
    with (place.root / MAIN).open("rb") as source:
        if LIBRARY not in source.read(MAX_SOURCE_BYTES):
            return Mismatch(why=f"its {MAIN} imports nothing from qai_hub_models")
    return place.package(Format.QAIHUB, main=MAIN)


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Check source, requirements and info.yaml without running anything; raise with all that is wrong."""
    info = read_info(package.root, folder_of(package))
    source = source_problems(parse(package), package.root, info.model_id, track.environment)
    problems = (*source, *info.problems)
    warnings = (*read_requirements(package.root, track.environment), *info.warnings)[:MAX_FINDINGS]
    if problems:
        raise Rejected(*problems[:MAX_FINDINGS], warnings=warnings)
    return warnings


def settle(package: Package, track: TrackSpec) -> Settled:
    """Leave the track as it is, and tell the loader under which name the folder's files import each other."""
    info = read_info(package.root, folder_of(package))
    return Settled(track=track, options={"model_id": info.model_id})
