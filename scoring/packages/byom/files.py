"""Which files a BYOM package holds: its three documents and one .pt, looked at and never unpickled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

from scoring.contracts import Finding, Package
from scoring.packages.byom.documents import CONFIG, MANIFEST, MOCHI, problem
from scoring.packages.wrapping import is_litter

ARTIFACTS: Final = "export_artifacts"
MAX_TOLD: Final = 200
MODEL_SUFFIX: Final = ".pt"
MODEL_SUFFIXES: Final = frozenset([MODEL_SUFFIX, ".pth", ".onnx", ".safetensors"])
# How torch.save and torch.jit.save begin their files, now (a zip) and before 2020 (a pickle).
MODEL_MAGIC: Final = (b"PK\x03\x04", b"\x80\x02")
NO_MODEL: Final = (
    "No .pt model file found in export_artifacts/. Model must include a PyTorch model file (.pt extension)"
)


def file_findings(package: Package) -> Iterator[Finding]:
    """Yield which document is missing, and what is wrong with the model's file."""
    paths = _own_files(package)
    for path in (CONFIG, MOCHI, MANIFEST):
        if PurePosixPath(path) not in paths:
            # The portal's words come first, so that they can be searched for.
            expected = f"Missing required files in model artifact: {path}"
            yield Finding(code="missing_file", path=path, facts={"expected": expected})
    models = models_in(paths)
    all_models = [str(path) for path in paths if path.suffix.casefold() == MODEL_SUFFIX]
    if not models:
        yield problem(ARTIFACTS, f"{NO_MODEL}{_models_elsewhere(paths)}")
    elif len(all_models) > 1:
        yield problem(ARTIFACTS, _too_many(all_models))
    else:
        yield from _model_findings(package, models[0])


def misplaced(paths: Iterable[PurePosixPath]) -> str:
    """Name a package's file that lies deeper than anything is looked for, if there is one."""
    found = [path for path in paths if path.name == MOCHI or path.match(MANIFEST)]
    return f"; {found[0]} must be in the root or inside one folder" if found else ""


def has_marks(paths: Collection[PurePosixPath]) -> bool:
    """Say whether files of the format lie here."""
    return bool(models_in(paths)) or not {PurePosixPath(MOCHI), PurePosixPath(MANIFEST)}.isdisjoint(paths)


def models_in(paths: Iterable[PurePosixPath]) -> list[str]:
    """Return the .pt files of export_artifacts/ itself."""
    return sorted(
        str(path)
        for path in paths
        if str(path.parent) == ARTIFACTS and path.suffix.casefold() == MODEL_SUFFIX
    )


def _own_files(package: Package) -> list[PurePosixPath]:
    paths = (path.relative_to(package.root) for path in package.root.rglob("*") if path.is_file())
    return sorted(PurePosixPath(path) for path in paths if not is_litter(str(path)))


def _models_elsewhere(paths: Iterable[PurePosixPath]) -> str:
    """Name what may be the model under another name or in another folder."""
    found = ", ".join(str(path) for path in paths if path.suffix in MODEL_SUFFIXES)
    return f"; found {found[:MAX_TOLD]}" if found else ""


def _too_many(models: list[str]) -> str:
    told = ", ".join(models)[:MAX_TOLD]
    return f"{len(models)} .pt model files found: {told}; exactly one is allowed, in {ARTIFACTS}/"


def _model_findings(package: Package, path: str) -> Iterator[Finding]:
    with (package.root / path).open("rb") as file:
        begins = file.read(4)
    if not begins:
        yield Finding(code="invalid_weights", path=path, facts={"why": "it is empty"})
    elif not begins.startswith(MODEL_MAGIC):
        why = "it was not written by torch.save or torch.jit.save"
        yield Finding(code="invalid_weights", path=path, facts={"why": why})
