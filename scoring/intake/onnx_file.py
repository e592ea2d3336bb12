"""Recognises an ONNX model by the outline of its protobuf, reading only a few bytes."""

from __future__ import annotations

from typing import BinaryIO, Final

IR_VERSION: Final = 1
GRAPH: Final = 7
# Fields of ModelProto, all versions: a file with any other field is something else.
KNOWN_FIELDS: Final = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
MAX_FIELDS: Final = 10_000
VARINT_WIRE: Final = 0
LENGTH_WIRE: Final = 2


def looks_like_onnx(file: BinaryIO, size: int) -> bool:
    """Say whether the file is, from end to end, a message with an IR version and a graph."""
    file.seek(0)
    seen: set[int] = set()
    for _ in range(MAX_FIELDS):
        if file.tell() == size:
            return {IR_VERSION, GRAPH} <= seen
        field = _skip_field(file, size)
        if field not in KNOWN_FIELDS:
            return False
        seen.add(field)
    return False


def _skip_field(file: BinaryIO, size: int) -> int | None:
    """Move past one field and return its number, or None where there is none."""
    tag = _varint(file)
    if tag is None:
        return None
    length = _varint(file) if tag & 7 in {VARINT_WIRE, LENGTH_WIRE} else None
    if length is None:
        return None
    if tag & 7 == LENGTH_WIRE:
        if file.tell() + length > size:
            return None
        file.seek(length, 1)
    return tag >> 3


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None
