"""The `onnx` format: exactly one ONNX model, with external data files if it needs them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from google.protobuf.message import DecodeError
from onnx import ModelProto

from scoring.contracts import (
    ANSWER,
    INLINED,
    Finding,
    Format,
    Mismatch,
    Package,
    Settled,
    TrackSpec,
    Unpacked,
)
from scoring.errors import Rejected, reject
from scoring.packages.onnx.contract import contract_problems
from scoring.packages.onnx.functions import FunctionsError, inlined
from scoring.packages.onnx.operators import graph_problems
from scoring.packages.onnx.outputs import answer_of, chosen
from scoring.packages.onnx.sides import settle_sides, size_problems
from scoring.packages.onnx.walk import is_all_text
from scoring.packages.onnx.weights import weight_findings
from scoring.packages.wrapping import own_paths

# Protobuf takes no longer message; larger weights belong into external data files.
MAX_MODEL_BYTES: Final = 2**31 - 1
MAX_FINDINGS: Final = 100


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry with exactly one `.onnx` file, wherever it lies."""
    models = [str(path) for path in own_paths(unpacked) if path.name.casefold().endswith(".onnx")]
    if len(models) != 1:
        return Mismatch(why=f"it has {len(models)} .onnx files instead of exactly one")
    return Package(
        format=Format.ONNX, root=unpacked.root, main=models[0], package_bytes=unpacked.package_bytes
    )


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Check all of the model that shows without running it; external data is located, not loaded."""
    model = _without_functions(_parse(package.root / package.main, package.main), package)
    reasons = [*graph_problems(model), *contract_problems(model, track), *size_problems(model, track)]
    problems = [
        *(Finding(code="unsupported_onnx", path=package.main, facts={"why": why}) for why in reasons),
        *weight_findings(model, package.root, PurePosixPath(package.main)),
    ]
    if problems:
        raise Rejected(*problems[:MAX_FINDINGS])
    return ()


def settle(package: Package, track: TrackSpec) -> Settled:
    """Take the sides that the track leaves open from the graph, and one of several outputs."""
    written = _parse(package.root / package.main, package.main)
    model = _without_functions(written, package)
    settled = settle_sides(model, track)
    options: dict[str, object] = {INLINED: True} if written.functions else {}
    if len(model.graph.output) == 1:
        return replace(settled, options=options)
    answer = answer_of(model, track.output)
    if isinstance(answer, str):
        raise reject("unsupported_onnx", path=package.main, why=answer)
    warnings = (*settled.warnings, chosen(model, answer))
    return replace(settled, options={**options, ANSWER: answer.name}, warnings=warnings)


def _without_functions(model: ModelProto, package: Package) -> ModelProto:
    """Return the model with its own functions in the place of their calls."""
    try:
        return inlined(model)
    except FunctionsError as exc:
        raise reject("unsupported_onnx", path=package.main, why=str(exc)) from exc


def _parse(path: Path, shown: str) -> ModelProto:
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise reject(
            "invalid_weights", path=shown, why="the file is larger than 2 GiB; use external data files"
        )
    if path.stat().st_size == 0:
        raise reject("unsupported_onnx", path=shown, why="the file is empty")
    model = ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as exc:
        raise reject("unsupported_onnx", path=shown, why="the file is not a complete ONNX model") from exc
    if not is_all_text(model):
        raise reject("unsupported_onnx", path=shown, why="it has names that are not text")
    return model
