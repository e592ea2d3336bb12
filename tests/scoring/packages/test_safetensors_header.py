"""Safetensors headers: what the library reads is read alike, what it refuses is refused, and a bit more."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from scoring.packages import weight_values
from scoring.packages.safetensors_header import MAX_HEADER_BYTES, InvalidWeights, read_header
from scoring.packages.weight_values import find_not_finite

TENSOR = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def packed(header: Any, data: bytes = bytes(8)) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def written(folder: Path, content: bytes) -> Path:
    path = folder / "w.safetensors"
    path.write_bytes(content)
    return path


def library_reads(content: bytes) -> bool:
    try:
        safetensors.deserialize(content)
    except safetensors.SafetensorError:
        return False
    return True


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "has 0 bytes"),
        (bytes(7), "has 7 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (struct.pack("<Q", 2**63), "cut short"),
        (packed({"a": TENSOR})[:20], "cut short"),
        (packed({"a": TENSOR}, bytes(7)), "1 of its tensors' 8 bytes"),
        (packed({"a": TENSOR}, bytes(9)), "1 bytes at its end"),
        (packed({}, bytes(1)), "1 bytes at its end"),
        (packed(b"[]", b""), "not a JSON object"),
        (packed(b"{", b""), "not valid JSON"),
        (packed(b"\xff", b""), "not valid JSON"),
        (packed(b"[" * 100_000, b""), "too deeply nested"),
        (packed({"a": TENSOR, "b": TENSOR}), "“b” overlaps"),
        (packed({"a": TENSOR, "b": {**TENSOR, "data_offsets": [4, 12]}}, bytes(12)), "“b” overlaps"),
        (packed({"a": {**TENSOR, "data_offsets": [4, 12]}}, bytes(12)), "begins after unused bytes"),
        (packed({"a": {**TENSOR, "dtype": "F33"}}), "unknown dtype F33"),
        (packed({"a": {**TENSOR, "dtype": [1]}}), "unknown dtype"),
        (packed({"a": {**TENSOR, "shape": [3]}}), "takes 8 bytes"),
        (packed({"a": {**TENSOR, "shape": [-1]}}), "shape"),
        (packed({"a": {**TENSOR, "shape": [2.0]}}), "shape"),
        (packed({"a": {**TENSOR, "shape": [2**64]}}), "shape"),
        (packed({"a": {**TENSOR, "shape": [2**62, 2**62]}}), "takes 8 bytes"),
        (packed({"a": {**TENSOR, "data_offsets": [8, 0]}}), "data_offsets"),
        (packed({"a": {**TENSOR, "data_offsets": [0]}}), "data_offsets"),
        (packed({"a": {"dtype": "F32", "shape": [2]}}), "must have exactly"),
        (packed({"a": 1}), "must have exactly"),
        (packed({"__metadata__": {"format": 1}, "a": TENSOR}), "not a mapping of text"),
        (
            packed(b'{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 8]}}'),
            "NaN instead of a number",
        ),
        (packed(b'{"a": {"dtype": "F32", "shape": [2], "shape": [2], "data_offsets": [0, 8]}}'), "twice"),
    ],
)
def test_a_broken_file_is_refused_as_the_library_refuses_it(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(InvalidWeights) as caught:
        read_header(written(tmp_path, content))

    assert why in str(caught.value)
    assert not library_reads(content)


def test_a_name_given_twice_is_refused_even_with_equal_offsets(tmp_path: Path) -> None:
    tensor = json.dumps(TENSOR)

    with pytest.raises(InvalidWeights, match="twice"):
        read_header(written(tmp_path, packed(f'{{"a": {tensor}, "a": {tensor}}}'.encode())))


def test_a_header_too_large_to_parse_is_refused_unparsed(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", MAX_HEADER_BYTES + 1))
        stream.truncate(MAX_HEADER_BYTES + 9)

    with pytest.raises(InvalidWeights, match="at most"):
        read_header(path)


def test_all_broken_tensors_are_named(tmp_path: Path) -> None:
    header = {"a": {**TENSOR, "dtype": "X"}, "b": {**TENSOR, "shape": [9]}}

    with pytest.raises(InvalidWeights) as caught:
        read_header(written(tmp_path, packed(header)))

    assert len(caught.value.reasons) == 2


def test_names_cannot_clear_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(InvalidWeights) as caught:
        read_header(written(tmp_path, packed({"\x1b[2J": 1})))

    assert str(caught.value).isprintable()


@given(
    shapes=st.lists(st.lists(st.integers(0, 4), max_size=4), max_size=5),
    kinds=st.lists(st.sampled_from(["f2", "f4", "f8", "i1", "i8", "?"]), min_size=5, max_size=5),
)
def test_what_the_library_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[list[int]], kinds: list[str]
) -> None:
    arrays = {
        f"t{number}": np.zeros(shape, kind)
        for number, (shape, kind) in enumerate(zip(shapes, kinds))  # noqa: B905
    }
    path = written(tmp_path_factory.mktemp("w"), safetensors.numpy.save(arrays, {"format": "pt"}))

    header = read_header(path)

    assert {tensor.name: list(tensor.shape) for tensor in header.tensors} == {
        name: list(array.shape) for name, array in arrays.items()
    }
    assert header.parameters == sum(
        array.size * (2 if array.dtype == np.float64 else 1)
        for array in arrays.values()
        if array.dtype.kind == "f"
    )


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_values_that_are_not_finite_are_counted(tmp_path: Path, kind: str) -> None:
    values = np.array([1, np.nan, np.inf, -np.inf, 0, -2], kind)
    path = written(tmp_path, safetensors.numpy.save({"good": np.ones(3, kind), "w": values}))

    found = find_not_finite(path, read_header(path))

    assert found is not None
    assert (found.found, found.total, found.tensor) == (3, 9, "w")


@pytest.mark.parametrize(
    ("bits", "expected"), [(0x7F80, 1), (0xFF80, 1), (0x7FC0, 1), (0x7F7F, 0), (0x3F80, 0)]
)
def test_bfloat16_is_judged_by_its_exponent(tmp_path: Path, bits: int, expected: int) -> None:
    header = {"w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}
    path = written(tmp_path, packed(header, struct.pack("<HH", bits, 0)))

    found = find_not_finite(path, read_header(path))

    assert (found.found if found else 0) == expected


def test_every_piece_of_a_large_tensor_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_values, "PIECE_BYTES", 16)
    values = np.zeros(11, np.float32)
    values[[0, 3, 4, 10]] = np.nan
    path = written(tmp_path, safetensors.numpy.save({"a": np.zeros(3, np.float32), "w": values}))

    found = find_not_finite(path, read_header(path))

    assert found is not None
    assert (found.found, found.total, found.tensor) == (4, 14, "w")


def test_integers_are_not_looked_at(tmp_path: Path) -> None:
    path = written(tmp_path, safetensors.numpy.save({"w": np.full(4, 0xFFFFFFFF, np.uint32)}))

    assert find_not_finite(path, read_header(path)) is None
