"""Builds the entry of a golden case from its `case.yaml`, where plain files could not be kept.

An entry is a list of members; a member's content is a text, a number of zeros, a file beside the
case, or an ONNX model in outline. `damage` then breaks the finished archive in a named way.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tests.golden.byom import byom_files

END = struct.Struct("<4s4H2LH")
UNIX = 3
OTHER_VERSIONS = {"ai.onnx.ml": 3}


def build_entry(case: Mapping[str, Any], case_folder: Path, target_folder: Path) -> Path:
    """Write the entry below `target_folder` and return its path."""
    entry = case["entry"]
    path = target_folder / entry.get("name", "entry.zip")
    if "byom" in entry:
        members = [{"path": name, "raw": raw} for name, raw in byom_files(entry["byom"]).items()]
        raw = _tar(members, case_folder, packed=True)
    elif "members" in entry and ".tar" in path.suffixes:
        raw = _tar(entry["members"], case_folder, packed=path.suffix == ".gz")
    elif "members" in entry:
        raw = _zip(entry["members"], case_folder, stored=entry.get("stored", False))
    else:
        raw = _content(entry, case_folder)
    for name in entry.get("damage", []):
        raw = DAMAGE[name](raw)
    path.write_bytes(raw)
    return path


def _zip(members: list[dict[str, Any]], case_folder: Path, *, stored: bool) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.filterwarnings("ignore", "Duplicate name")
        for member in members:
            made = zipfile.ZipInfo(member["path"])
            made.create_system = UNIX
            made.external_attr = member.get("mode", 0o100644) << 16
            made.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            for _ in range(member.get("times", 1)):
                archive.writestr(made, _content(member, case_folder))
                made = _numbered(made)
    return buffer.getvalue()


def _tar(members: list[dict[str, Any]], case_folder: Path, *, packed: bool) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            made, content = tarfile.TarInfo(member["path"]), _content(member, case_folder)
            made.size = len(content)
            archive.addfile(made, io.BytesIO(content))
    return gzip.compress(buffer.getvalue()) if packed else buffer.getvalue()


def _numbered(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    stem, _, number = member.filename.rpartition("-")
    made = zipfile.ZipInfo(f"{stem or member.filename}-{int(number) + 1 if stem else 1}")
    made.external_attr, made.compress_type = member.external_attr, member.compress_type
    return made


def _content(source: Mapping[str, Any], case_folder: Path) -> bytes:
    if "onnx" in source:
        return _onnx(source["onnx"])
    if "safetensors" in source:
        raw = safetensors.numpy.save({name: _array(each) for name, each in source["safetensors"].items()})
        return raw[: len(raw) - source.get("cut", 0)]
    if "header" in source:
        header = json.dumps(source["header"]).encode()
        return len(header).to_bytes(8, "little") + header + bytes(source["bytes"])
    if "raw" in source:
        return bytes(source["raw"])
    if "zeros" in source:
        return bytes(source["zeros"])
    if "file" in source:
        return (case_folder / source["file"]).read_bytes()
    return str(source.get("text", "")).encode()


def _onnx(outline: Mapping[str, Any]) -> bytes:
    """Build a model: nodes are `[operator, inputs, outputs, attributes]`, weights are shapes.

    Outputs are names, or shapes by name; functions are those of the domain `own`, as graphs without weights.
    """
    nodes, outputs = _nodes(outline["nodes"]), outline.get("outputs", ["y"])
    shapes = (
        outputs if isinstance(outputs, dict) else {name: ["n", outline.get("width", 100)] for name in outputs}
    )
    graph = helper.make_graph(
        nodes,
        "golden",
        [
            helper.make_tensor_value_info(
                name, TensorProto.DataType.Value(outline.get("type", "FLOAT")), shape
            )
            for name, shape in outline.get("inputs", {"x": ["n", 3, 224, 224]}).items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        initializer=[_weight(name, weight) for name, weight in outline.get("weights", {}).items()],
    )
    opsets = [helper.make_opsetid(outline.get("domain", ""), outline.get("opset", 17))]
    functions = [
        helper.make_function("own", name, each["inputs"], each["outputs"], _nodes(each["nodes"]), opsets)
        for name, each in outline.get("functions", {}).items()
    ]
    others = [
        helper.make_opsetid(name, OTHER_VERSIONS.get(name, 1))
        for name in sorted({node.domain for node in nodes} - {""})
    ]
    model = helper.make_model(
        graph, functions=functions, opset_imports=opsets + others, ir_version=outline.get("ir_version", 8)
    )
    return model.SerializeToString()


def _nodes(outline: list[Any]) -> list[NodeProto]:
    return [
        helper.make_node(operator, inputs.split(), outputs.split(), **(attributes[0] if attributes else {}))
        for operator, inputs, outputs, *attributes in outline
    ]


def _weight(name: str, weight: Any) -> TensorProto:
    if isinstance(weight, list):
        return numpy_helper.from_array(np.full(weight, 0.01, np.float32), name)
    tensor = TensorProto(name=name, dims=weight["shape"], data_type=TensorProto.FLOAT)
    if "bytes" in weight:
        tensor.raw_data = bytes(weight["bytes"])
        return tensor
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=weight["location"])
    return tensor


def _array(weight: Any) -> np.ndarray:
    """Return the float32 array of a shape, of `shape` with a `value`, or of its `rows`."""
    if isinstance(weight, list):
        return np.full(weight, 0.01, np.float32)
    if "rows" in weight:
        return np.array(weight["rows"], np.float32)
    return np.full(weight["shape"], weight["value"], np.float32)


def _directory_offset(raw: bytes) -> int:
    return END.unpack_from(raw, raw.rindex(b"PK\x05\x06"))[6]


def _set(raw: bytes, at: int, layout: str, value: int) -> bytes:
    changed = bytearray(raw)
    struct.pack_into(layout, changed, at, value)
    return bytes(changed)


def _encrypt_flag(raw: bytes) -> bytes:
    """Mark the first member as encrypted, in both places that say so."""
    return _set(_set(raw, 6, "<H", 1), _directory_offset(raw) + 8, "<H", 1)


def _overlap(raw: bytes) -> bytes:
    """List the first member again under another name of the same length: two names, one content."""
    start, end = _directory_offset(raw), raw.rindex(b"PK\x05\x06")
    entry = raw[start:end]
    twin = entry[:46] + bytes(reversed(entry[46:]))
    count = END.unpack_from(raw, end)[3] + 1
    record = END.pack(b"PK\x05\x06", 0, 0, count, count, len(entry) + len(twin), start, 0)
    return raw[:start] + entry + twin + record


def _lie_about_size(raw: bytes) -> bytes:
    """Declare the first member to be 10 bytes long, in both places that say so."""
    return _set(_set(raw, 22, "<L", 10), _directory_offset(raw) + 24, "<L", 10)


def _as_deflate64(raw: bytes) -> bytes:
    return _set(_set(raw, 8, "<H", 9), _directory_offset(raw) + 10, "<H", 9)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "as_deflate64": _as_deflate64,
    "append_other_data": lambda raw: raw + b"other data",
    "encrypt_flag": _encrypt_flag,
    "flip_content": lambda raw: raw.replace(b"class", b"CLASS", 1),
    "lie_about_size": _lie_about_size,
    "overlap": _overlap,
    "prepend_other_data": lambda raw: b"#!/bin/sh\nexit\n" + raw,
    "rename_local_header": lambda raw: raw.replace(b"model.py", b"other.py", 1),
    "truncate": lambda raw: raw[: len(raw) * 2 // 3],
}
