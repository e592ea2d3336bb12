"""Whether the weights of an ONNX model are whole, and whether external ones stay inside the package."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from onnx import ModelProto, TensorProto

from scoring.contracts import Finding
from scoring.packages.onnx.walk import shown, tensors

MAX_RANK: Final = 64
BITS: Final[dict[int, int]] = {
    TensorProto.FLOAT: 32,
    TensorProto.DOUBLE: 64,
    TensorProto.FLOAT16: 16,
    TensorProto.BFLOAT16: 16,
    TensorProto.FLOAT8E4M3FN: 8,
    TensorProto.FLOAT8E4M3FNUZ: 8,
    TensorProto.FLOAT8E5M2: 8,
    TensorProto.FLOAT8E5M2FNUZ: 8,
    TensorProto.FLOAT8E8M0: 8,
    TensorProto.FLOAT4E2M1: 4,
    TensorProto.INT2: 2,
    TensorProto.UINT2: 2,
    TensorProto.INT4: 4,
    TensorProto.UINT4: 4,
    TensorProto.INT8: 8,
    TensorProto.UINT8: 8,
    TensorProto.INT16: 16,
    TensorProto.UINT16: 16,
    TensorProto.INT32: 32,
    TensorProto.UINT32: 32,
    TensorProto.INT64: 64,
    TensorProto.UINT64: 64,
    TensorProto.BOOL: 8,
    TensorProto.COMPLEX64: 64,
    TensorProto.COMPLEX128: 128,
}


def weight_findings(model: ModelProto, root: Path, main: PurePosixPath) -> Iterator[Finding]:
    """Yield weights whose bytes do not fit their shape, or lie where they must not; a missing file once."""
    missing: set[str] = set()
    for tensor in tensors(model):
        if tensor.data_type == TensorProto.STRING:
            continue
        name = shown(tensor.name)
        if tensor.data_type not in BITS:
            yield _invalid(main, f"weight “{name}” has the unknown type {tensor.data_type}")
        elif len(tensor.dims) > MAX_RANK or any(size < 0 for size in tensor.dims):
            yield _invalid(main, f"weight “{name}” has a negative size, or more than {MAX_RANK} dimensions")
        elif tensor.data_location == TensorProto.EXTERNAL:
            for finding in _external_findings(tensor, root, main):
                if finding.code != "missing_file" or finding.path not in missing:
                    yield finding
                missing.add(finding.path)
        elif tensor.HasField("raw_data") and len(tensor.raw_data) != expected_bytes(tensor):
            found, needed = len(tensor.raw_data), expected_bytes(tensor)
            yield _invalid(main, f"weight “{name}” has {found:,} bytes, but its shape needs {needed:,}")


def expected_bytes(tensor: TensorProto) -> int:
    """Return how many bytes a tensor of this type and shape takes."""
    return (math.prod(tensor.dims) * BITS[tensor.data_type] + 7) // 8


def _invalid(main: PurePosixPath, why: str) -> Finding:
    return Finding(code="invalid_weights", path=str(main), facts={"why": why})


def _external_findings(tensor: TensorProto, root: Path, main: PurePosixPath) -> Iterator[Finding]:
    name = shown(tensor.name)
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    parts = location.split("/")
    # Weights that point outside the package would read the host's files into the model.
    if not location or "\\" in location or "\0" in location or {"", ".", ".."} & set(parts):
        yield _invalid(main, f"weight “{name}” points outside the package (“{shown(location)}”)")
        return
    file = root / main.parent / location
    if len(location) > 1_024 or not file.is_file():
        expected = (
            f"{shown(location)} (weights of {main}; zip both files, or export with external_data=False "
            "to keep everything in one)"
        )
        yield Finding(code="missing_file", path=shown(location), facts={"expected": expected})
        return
    try:
        offset = int(entries.get("offset", "0"))
        length = int(entries.get("length", expected_bytes(tensor)))
    except ValueError:
        yield _invalid(main, f"weight “{name}” has an offset or length that is not a number")
        return
    if offset < 0 or length != expected_bytes(tensor) or offset + length > file.stat().st_size:
        yield _invalid(main, f"weight “{name}” does not fit in {shown(location)}")
