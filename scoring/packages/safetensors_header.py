"""Reads a safetensors file by its header alone, strictly: every byte of the file is accounted for.

The file is hostile. It is 8 bytes of length (little-endian), so many bytes of JSON, then the tensors'
bytes without gap or overlap. Nothing of it is loaded as weights here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

LENGTH: Final = struct.Struct("<Q")
# The format allows 100 MB. Parsed JSON takes many times its size, and 16 MiB describe 100,000 tensors.
MAX_HEADER_BYTES: Final = 16 * 2**20
METADATA: Final = "__metadata__"
FIELDS: Final = frozenset({"dtype", "shape", "data_offsets"})
BITS: Final = {
    **dict.fromkeys(("F4",), 4),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 8),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
}
FLOATING: Final = frozenset(name for name in BITS if name.startswith(("F", "BF", "C")))
WORD_BITS: Final = 32
MAX_SHOWN: Final = 80
LFS_POINTER: Final = b"version https://git-lfs"


class InvalidWeights(ValueError):
    """A safetensors file breaks its format; `reasons` are sentences without a full stop."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One tensor: its type, shape, and where its bytes lie, counted from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def values(self) -> int:
        """How many values the tensor holds."""
        return prod(self.shape)


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a file holds, in the order of its bytes, and where they begin."""

    tensors: tuple[Tensor, ...]
    data_at: int

    @property
    def parameters(self) -> int:
        """Count floating values as they are counted in a built model: wider ones as several of 4 bytes."""
        floating = (tensor for tensor in self.tensors if tensor.dtype in FLOATING)
        return sum(tensor.values * max(BITS[tensor.dtype] // WORD_BITS, 1) for tensor in floating)


def read_header(path: Path) -> Header:
    """Return the header; raise `InvalidWeights` with every reason."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = _length(stream.read(LENGTH.size), size)
        document = _parse(stream.read(length))
    metadata = document.pop(METADATA, {})
    reasons = [] if _is_text_table(metadata) else [f"{METADATA} is not a mapping of text"]
    tensors: list[Tensor] = []
    for name, raw in document.items():
        try:
            tensors.append(_tensor(name, raw))
        except InvalidWeights as exc:
            reasons += exc.reasons
    if reasons:
        raise InvalidWeights(*reasons)
    tensors.sort(key=lambda tensor: (tensor.start, tensor.end))
    data_at = LENGTH.size + length
    gaps = list(_gaps(tensors, size - data_at))
    if gaps:
        raise InvalidWeights(*gaps)
    return Header(tensors=tuple(tensors), data_at=data_at)


def _length(raw: bytes, size: int) -> int:
    if len(raw) < LENGTH.size:
        raise InvalidWeights(f"it has {size} bytes; a safetensors file starts with 8 bytes of header length")
    if raw == LFS_POINTER[: LENGTH.size]:
        raise InvalidWeights("it is a Git LFS pointer, not the weights: run `git lfs pull` before packing")
    length: int = LENGTH.unpack(raw)[0]
    if length > size - LENGTH.size:
        raise InvalidWeights(
            f"its header should take {length:,} bytes and the file ends before: it was cut short, "
            "or is not a safetensors file"
        )
    if length > MAX_HEADER_BYTES:
        raise InvalidWeights(f"its header takes {length:,} bytes; at most {MAX_HEADER_BYTES:,} are allowed")
    return length


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw.decode(), object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except InvalidWeights:
        raise
    except ValueError as exc:
        raise InvalidWeights("its header is not valid JSON") from exc
    except RecursionError as exc:
        # A header of nested brackets, meant to break the parser.
        raise InvalidWeights("its header is too deeply nested") from exc
    if not isinstance(document, dict):
        raise InvalidWeights("its header is not a JSON object")
    return document


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        # Two readers could take different ones: what is checked must be what is loaded.
        raise InvalidWeights("its header names a tensor or a field twice")
    return table


def _no_constant(name: str) -> None:
    raise InvalidWeights(f"its header has {name} instead of a number")


def _is_text_table(metadata: Any) -> bool:
    return isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())


def _tensor(name: str, raw: Any) -> Tensor:
    shown = f"tensor “{printable(name)}”"
    if not isinstance(raw, dict) or set(raw) != FIELDS:
        raise InvalidWeights(f"{shown} must have exactly {', '.join(sorted(FIELDS))}")
    dtype, shape, offsets = raw["dtype"], raw["shape"], raw["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        found = printable(dtype) if isinstance(dtype, str) else "that is not text"
        raise InvalidWeights(f"{shown} has the unknown dtype {found}")
    if not _are_sizes(shape):
        raise InvalidWeights(f"{shown} has a shape that is not a list of whole numbers from 0")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise InvalidWeights(f"{shown} has data_offsets that are not a start and an end")
    tensor = Tensor(name=name, dtype=dtype, shape=tuple(shape), start=offsets[0], end=offsets[1])
    if tensor.values * BITS[dtype] != (tensor.end - tensor.start) * 8:
        raise InvalidWeights(
            f"{shown} takes {tensor.end - tensor.start:,} bytes, but its shape needs another number"
        )
    return tensor


def _are_sizes(numbers: Any) -> bool:
    """Say whether this is a short list of whole numbers that a file of today can hold."""
    return (
        isinstance(numbers, list)
        and len(numbers) <= 64
        and all(type(number) is int and 0 <= number < 2**63 for number in numbers)
    )


def _gaps(tensors: list[Tensor], data_bytes: int) -> Iterator[str]:
    end = 0
    for tensor in tensors:
        if tensor.start != end:
            what = "overlaps the tensor before it" if tensor.start < end else "begins after unused bytes"
            yield f"tensor “{printable(tensor.name)}” {what}"
        end = max(end, tensor.end)
    if end > data_bytes:
        yield f"it was cut short: {end - data_bytes:,} of its tensors' {end:,} bytes are missing"
    elif end < data_bytes:
        yield f"{data_bytes - end:,} bytes at its end belong to no tensor"


def printable(text: str) -> str:
    """Return a hostile name in a form that is safe to print and not too long."""
    kept = "".join(character if character.isprintable() else "?" for character in text[:MAX_SHOWN])
    return kept if len(text) <= MAX_SHOWN else f"{kept}…"
