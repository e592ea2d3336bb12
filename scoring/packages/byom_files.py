"""Which files a BYOM package holds: its three documents and one .pt, looked at and never unpickled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final

from scoring.contracts import Finding, Package
from scoring.packages.byom_documents import CONFIG, MANIFEST, MOCHI, problem
from scoring.packages.wrapping import is_litter

ARTIFACTS: Final = "export_artifacts"
MODEL_SUFFIXES: Final = frozenset([".pt", ".pth", ".onnx", ".safetensors"])
# How torch.save and torch.jit.save begin their files, now (a zip) and before 2020 (a pickle).
MODEL_MAGIC: Final = (b"PK\x03\x04", b"\x80\x02")
NO_MODEL: Final = (
    "No .pt model file found in export_artifacts/. Model must include a PyTorch model file (.pt extension)"
)


def file_findings(package: Package) -> Iterator[Finding]:
    """Yield which document is missing, and what is wrong with the model's file."""
    for path in (CONFIG, MOCHI, MANIFEST):
        if not (package.root / path).is_file():
            yield Finding(code="missing_file", path=path, facts={"expected": path})
    folder = package.root / ARTIFACTS
    files = (path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else ()
    names = sorted(path.name for path in files)
    models = models_in(PurePosixPath(ARTIFACTS, name) for name in names if not is_litter(name))
    if not models:
        yield problem(ARTIFACTS, f"{NO_MODEL}{_models_elsewhere(package)}")
    elif len(models) > 1:
        yield problem(
            ARTIFACTS, f"{len(models)} .pt model files found in {ARTIFACTS}/; exactly one is allowed"
        )
    else:
        yield from _model_findings(package, models[0])


def has_marks(paths: Collection[PurePosixPath]) -> bool:
    """Say whether files of the format lie here."""
    return bool(models_in(paths)) or not {PurePosixPath(MOCHI), PurePosixPath(MANIFEST)}.isdisjoint(paths)


def models_in(paths: Iterable[PurePosixPath]) -> list[str]:
    """Return the .pt files of export_artifacts/ itself."""
    return sorted(
        str(path) for path in paths if str(path.parent) == ARTIFACTS and path.suffix.casefold() == ".pt"
    )


def _models_elsewhere(package: Package) -> str:
    """Name what may be the model under another name or in another folder."""
    paths = (path.relative_to(package.root) for path in package.root.rglob("*") if path.is_file())
    found = sorted(str(path) for path in paths if path.suffix in MODEL_SUFFIXES and not is_litter(path.name))
    return f"; there is {', '.join(found)[:200]}" if found else ""


def _model_findings(package: Package, path: str) -> Iterator[Finding]:
    with (package.root / path).open("rb") as file:
        begins = file.read(4)
    if not begins:
        yield Finding(code="invalid_weights", path=path, facts={"why": "it is empty"})
    elif not begins.startswith(MODEL_MAGIC):
        why = "it is no file that torch.save or torch.jit.save writes"
        yield Finding(code="invalid_weights", path=path, facts={"why": why})
