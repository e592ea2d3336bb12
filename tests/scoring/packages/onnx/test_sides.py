"""Which input size an ONNX graph gets on a track that leaves it to the package."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto, helper

from scoring.contracts import (
    MAX_FRAMES,
    Format,
    InputContract,
    Metric,
    OutputContract,
    OutputKind,
    Package,
    Reader,
    Settled,
    TrackSpec,
)
from scoring.errors import Rejected
from scoring.packages.onnx import check, settle
from scoring.packages.onnx.sides import MAX_SIDE

IMAGE = InputContract(shape=(3, None, None))
VIDEO = InputContract(reader=Reader.VIDEO, shape=(None, 3, None, None))


def settled(folder: Path, contract: InputContract, graph_shape: list[int | str] | None) -> Settled:
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, graph_shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    package = Package(format=Format.ONNX, root=folder, main="net.onnx", package_bytes=1)
    track = TrackSpec(
        slug="t",
        name="T",
        formats=(Format.ONNX,),
        input=contract,
        output=OutputContract(kind=OutputKind.LOGITS, width=3),
        metric=Metric.ACCURACY,
    )
    check(package, track)
    return settle(package, track)


@pytest.mark.parametrize(
    ("contract", "graph_shape", "expected"),
    [
        (IMAGE, ["n", 3, 64, 48], (3, 64, 48)),
        (IMAGE, ["n", 3, MAX_SIDE, 1], (3, MAX_SIDE, 1)),
        (VIDEO, ["n", 8, 3, 64, 48], (8, 3, 64, 48)),
        (VIDEO, [1, MAX_FRAMES, 3, 64, 48], (MAX_FRAMES, 3, 64, 48)),
        (VIDEO, ["n", "frames", 3, 64, 48], (16, 3, 64, 48)),
        (InputContract(shape=(3, 32, 32)), ["n", 3, "h", "w"], (3, 32, 32)),
    ],
)
def test_stated_sides_are_taken_without_a_warning(
    tmp_path: Path, contract: InputContract, graph_shape: list[int | str], expected: tuple[int, ...]
) -> None:
    found = settled(tmp_path, contract, graph_shape)

    assert (found.track.input.sides(), found.warnings) == (expected, ())


@pytest.mark.parametrize(
    ("contract", "graph_shape", "expected"),
    [
        (IMAGE, ["n", 3, "h", "w"], (3, 224, 224)),
        (IMAGE, ["n", 3, 96, "w"], (3, 96, 224)),
        (IMAGE, None, (3, 224, 224)),
        (VIDEO, ["n", 4, 3, "h", "w"], (4, 3, 224, 224)),
    ],
)
def test_open_height_or_width_becomes_224_and_is_told(
    tmp_path: Path,
    contract: InputContract,
    graph_shape: list[int | str] | None,
    expected: tuple[int, ...],
) -> None:
    found = settled(tmp_path, contract, graph_shape)

    assert found.track.input.sides() == expected
    assert [(warning.code, warning.facts) for warning in found.warnings] == [
        ("open_input_size", {"size": f"{expected[-2]} x {expected[-1]}"})
    ]


@pytest.mark.parametrize(
    ("contract", "graph_shape"),
    [
        (IMAGE, ["n", 3, MAX_SIDE + 1, 8]),
        (IMAGE, ["n", 3, 0, 8]),
        (IMAGE, ["n", 3, 8, -8]),
        (IMAGE, ["n", 3, 8, 2**62]),
        (IMAGE, ["n", 3, 8]),
        (IMAGE, ["n", 1, 8, 8]),
        (VIDEO, ["n", MAX_FRAMES + 1, 3, 8, 8]),
        (VIDEO, ["n", 3, 8, 8]),
    ],
)
def test_a_size_that_no_package_may_choose_is_refused(
    tmp_path: Path, contract: InputContract, graph_shape: list[int | str]
) -> None:
    with pytest.raises(Rejected) as caught:
        settled(tmp_path, contract, graph_shape)

    assert {finding.code for finding in caught.value.findings} == {"unsupported_onnx"}
