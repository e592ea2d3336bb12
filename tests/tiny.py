"""An entry and data that are as small as can be, for tests of the flow with a played sandbox."""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from scoring.contracts import Capture, TrackSpec

SIDE = 8
GRAPH_PARAMETERS = 300


def write_entry(folder: Path) -> Path:
    """Write a zip that is recognised as a cvpr-zip; nobody runs it."""
    path = folder / "entry.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.py", "class Model: ...\n")
    return path


def uncaptured(track: TrackSpec) -> TrackSpec:
    """Return the track as one whose entries run as they are: a played sandbox writes no graphs."""
    return replace(track, budgets=replace(track.budgets, capture=Capture.OFF))


def write_graph(folder: Path, *, sides: Sequence[int | str] = (224, 224)) -> Path:
    """Write an ONNX graph from pictures, by default of the CVPR tracks, to a hundred numbers."""
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weight"], ["y"]),
        ],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, *sides])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 100])],
        initializer=[numpy_helper.from_array(np.zeros((3, GRAPH_PARAMETERS // 3), np.float32), "weight")],
    )
    path = folder / "net.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def write_data(
    folder: Path, *, values: Sequence[int], labels: Sequence[int], split: Sequence[str] = ()
) -> Path:
    """Write a data folder of one grey picture for each value, with its label, and its split if there are any."""
    folder.mkdir()
    columns = [labels, split] if split else [labels]
    lines = ["file,label,split" if split else "file,label"]
    for index, (value, *row) in enumerate(zip(values, *columns, strict=True)):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((SIDE, SIDE, 3), value, np.uint8))
        lines.append(",".join(map(str, (f"{index}.png", *row))))
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def splits(private: Sequence[bool]) -> list[str]:
    """Name the split of each row."""
    return ["private" if is_private else "public" for is_private in private]
