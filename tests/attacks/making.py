"""Makes ONNX graphs and archives for cases that need more than plain files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from tests.attacks.surroundings import CLASSES, SIDE, STEP

node = helper.make_node


def write_onnx(
    path: Path,
    nodes: Iterable[NodeProto],
    weights: Mapping[str, NDArray[np.generic]],
    *,
    opset: int = 18,
    sides: tuple[int | str, ...] = (3, SIDE, SIDE),
) -> Path:
    """Write a graph from `x` to `y`, a row of logits for each picture."""
    graph = helper.make_graph(
        list(nodes),
        "attack",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *sides])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", CLASSES])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.save(model, path)
    return path


def honest_nodes(source: str = "x", target: str = "y") -> list[NodeProto]:
    """Return nodes that tell the class by how bright the middle of a picture is."""
    return [
        node("Slice", [source, "low", "high", "rows"], ["half"]),
        node("ReduceMean", ["half", "sides"], ["brightness"], keepdims=1),
        node("Flatten", ["brightness"], ["flat"]),
        node("Sub", ["flat", "centres"], ["off"]),
        node("Abs", ["off"], ["far"]),
        node("Neg", ["far"], [target]),
    ]


def honest_weights() -> dict[str, NDArray[np.generic]]:
    """Return the weights of `honest_nodes`."""
    return {
        "low": np.array([16], np.int64),
        "high": np.array([SIDE], np.int64),
        "rows": np.array([2], np.int64),
        "sides": np.array([1, 2, 3], np.int64),
        "centres": (np.arange(CLASSES, dtype=np.float32)[None] * STEP + 1) / 255,
    }


def write_honest(path: Path) -> Path:
    """Write a graph that is right about every hidden picture."""
    return write_onnx(path, honest_nodes(), honest_weights())


def write_zip(path: Path, members: Mapping[str, bytes | str]) -> Path:
    """Write an archive with these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path
