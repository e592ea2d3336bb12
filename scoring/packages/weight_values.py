"""Looks for NaN and infinity in the bytes of a safetensors file, a piece at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from scoring.packages.safetensors_header import Header, Tensor, printable

PIECE_BYTES: Final = 8 * 2**20
_BF16_EXPONENT: Final = np.uint16(0x7F80)


@dataclass(frozen=True)
class NotFinite:
    """How many values are NaN or infinite, and the first tensor that has one."""

    found: int
    total: int
    tensor: str


def find_not_finite(path: Path, header: Header) -> NotFinite | None:
    """Return what is not finite among the file's floating values, or None."""
    found, total, first = 0, 0, ""
    with path.open("rb") as stream:
        for tensor in header.tensors:
            if tensor.dtype not in _COUNTS:
                continue
            stream.seek(header.data_at + tensor.start)
            here = sum(_COUNTS[tensor.dtype](piece) for piece in _pieces(stream, tensor))
            first = first or (tensor.name if here else "")
            found, total = found + here, total + tensor.values
    return NotFinite(found, total, printable(first)) if found else None


def _pieces(stream: BinaryIO, tensor: Tensor) -> Iterator[bytes]:
    for start in range(tensor.start, tensor.end, PIECE_BYTES):
        yield stream.read(min(tensor.end - start, PIECE_BYTES))


def _count(dtype: str) -> Callable[[bytes], int]:
    def count(piece: bytes) -> int:
        values: NDArray[np.floating] = np.frombuffer(piece, dtype)
        return values.size - int(np.count_nonzero(np.isfinite(values)))

    return count


def _count_bf16(piece: bytes) -> int:
    """Count values whose exponent is all ones; numpy has no bfloat16."""
    bits = np.frombuffer(piece, "<u2")
    return int(np.count_nonzero((bits & _BF16_EXPONENT) == _BF16_EXPONENT))


_COUNTS: Final[dict[str, Callable[[bytes], int]]] = {
    "F16": _count("<f2"),
    "F32": _count("<f4"),
    "F64": _count("<f8"),
    "BF16": _count_bf16,
}
