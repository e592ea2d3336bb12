"""Corners of the onnx format: weights in every place that a graph has, and what no graph may be."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from scoring.contracts import (
    Finding,
    Format,
    InputContract,
    Metric,
    OutputContract,
    OutputKind,
    Package,
    Reader,
    TrackSpec,
)
from scoring.errors import Rejected, render_all
from scoring.packages.onnx import MAX_MODEL_BYTES, check
from scoring.packages.onnx.contract import contract_problems
from scoring.packages.onnx.sides import OPEN_FRAMES, OPEN_SIDE, fill_open_sides

TRACK = TrackSpec(
    slug="t",
    name="T",
    formats=(Format.ONNX,),
    input=InputContract(shape=(3, 4, 4)),
    output=OutputContract(kind=OutputKind.LOGITS, width=2),
    metric=Metric.ACCURACY,
)


def sound() -> ModelProto:
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
        initializer=[numpy_helper.from_array(np.ones((48, 2), np.float32), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def checked(model: ModelProto, folder: Path) -> tuple[Finding, ...]:
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return check(Package(format=Format.ONNX, root=folder, main="net.onnx", package_bytes=1), TRACK)


def torn(name: str) -> TensorProto:
    """Return a weight of ten numbers that holds one byte."""
    return TensorProto(name=name, dims=[10], data_type=TensorProto.FLOAT, raw_data=b"1")


def sparse(
    *, values: TensorProto | None = None, indices: TensorProto | None = None
) -> onnx.SparseTensorProto:
    whole_values = numpy_helper.from_array(np.ones(1, np.float32), "v")
    whole_indices = numpy_helper.from_array(np.zeros(1, np.int64), "i")
    made = onnx.SparseTensorProto(dims=[4])
    made.values.CopyFrom(values or whole_values)
    made.indices.CopyFrom(indices or whole_indices)
    return made


def with_attribute(model: ModelProto, attribute: onnx.AttributeProto) -> ModelProto:
    model.graph.node.add(op_type="Constant", output=["extra"]).attribute.append(attribute)
    return model


def in_main_graph(weight: TensorProto) -> ModelProto:
    model = sound()
    model.graph.sparse_initializer.append(sparse(values=weight))
    return model


def in_indices(weight: TensorProto) -> ModelProto:
    model = sound()
    model.graph.sparse_initializer.append(sparse(indices=weight))
    return model


def in_tensor(weight: TensorProto) -> ModelProto:
    return with_attribute(sound(), helper.make_attribute("value", weight))


def in_tensors(weight: TensorProto) -> ModelProto:
    made = onnx.AttributeProto(name="values", type=onnx.AttributeProto.TENSORS)
    made.tensors.append(weight)
    return with_attribute(sound(), made)


def in_sparse_tensor(weight: TensorProto) -> ModelProto:
    return with_attribute(sound(), helper.make_attribute("sparse_value", sparse(values=weight)))


def in_sparse_tensors(weight: TensorProto) -> ModelProto:
    made = onnx.AttributeProto(name="sparse_values", type=onnx.AttributeProto.SPARSE_TENSORS)
    made.sparse_tensors.append(sparse(values=weight))
    return with_attribute(sound(), made)


def in_graphs(weight: TensorProto) -> ModelProto:
    made = onnx.AttributeProto(name="bodies", type=onnx.AttributeProto.GRAPHS)
    made.graphs.add(name="inner").initializer.append(weight)
    return with_attribute(sound(), made)


PLACES = [
    in_main_graph,
    in_indices,
    in_tensor,
    in_tensors,
    in_sparse_tensor,
    in_sparse_tensors,
    in_graphs,
]


@pytest.mark.parametrize("place", PLACES)
def test_a_torn_weight_is_found_wherever_it_lies(place, tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        checked(place(torn("hidden")), tmp_path)

    render_all(caught.value.findings)
    assert [finding.code for finding in caught.value.findings] == ["invalid_weights"]
    assert "“hidden” has 1 bytes, but its shape needs 40" in str(caught.value.findings[0].facts["why"])


@pytest.mark.parametrize("place", PLACES)
def test_a_whole_weight_is_accepted_wherever_it_lies(place, tmp_path: Path) -> None:
    assert checked(place(numpy_helper.from_array(np.zeros(1, np.int64), "whole")), tmp_path) == ()


def test_text_has_no_length_to_be_checked(tmp_path: Path) -> None:
    assert (
        checked(in_tensor(helper.make_tensor("t", TensorProto.STRING, [2], [b"cat", b"dog"])), tmp_path) == ()
    )


def test_a_model_that_protobuf_cannot_hold_is_refused_unread(tmp_path: Path) -> None:
    """The file is a hole: it takes no disk, and reading it would take two gigabytes of memory."""
    with (tmp_path / "net.onnx").open("wb") as file:
        os.truncate(file.fileno(), MAX_MODEL_BYTES + 1)

    with pytest.raises(Rejected) as caught:
        check(Package(format=Format.ONNX, root=tmp_path, main="net.onnx", package_bytes=1), TRACK)

    render_all(caught.value.findings)
    assert [finding.code for finding in caught.value.findings] == ["invalid_weights"]


def test_sound_is_not_fed_as_bytes() -> None:
    contract = replace(TRACK, input=InputContract(shape=(16_000,), reader=Reader.AUDIO))
    model = sound()
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.UINT8, ["n", 16_000]))

    assert list(contract_problems(model, contract)) == [
        "its input is uint8; float32 is accepted (cast inside the model)"
    ]


@pytest.mark.parametrize(
    ("shape", "filled"),
    [
        ((3, None, None), (3, OPEN_SIDE, OPEN_SIDE)),
        ((3, 32, None), (3, 32, OPEN_SIDE)),
        ((None, 3, None, 64), (OPEN_FRAMES, 3, OPEN_SIDE, 64)),
    ],
)
def test_only_open_sides_are_filled(shape: tuple[int | None, ...], filled: tuple[int, ...]) -> None:
    assert fill_open_sides(InputContract(shape=shape)).shape == filled


def beside(name: str, location: str) -> TensorProto:
    tensor = TensorProto(name=name, dims=[10], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def test_each_missing_file_is_named_once(tmp_path: Path) -> None:
    model = sound()
    model.graph.initializer.extend([beside("a", "one.bin"), beside("b", "one.bin"), beside("c", "two.bin")])

    with pytest.raises(Rejected) as caught:
        checked(model, tmp_path)

    assert [(each.code, each.path) for each in caught.value.findings] == [
        ("missing_file", "one.bin"),
        ("missing_file", "two.bin"),
    ]


def test_each_weight_outside_the_package_is_named(tmp_path: Path) -> None:
    model = sound()
    model.graph.initializer.extend([beside("a", "../one.bin"), beside("b", "../one.bin")])

    with pytest.raises(Rejected) as caught:
        checked(model, tmp_path)

    assert [each.code for each in caught.value.findings] == ["invalid_weights", "invalid_weights"]


def test_an_empty_file_is_said_to_be_empty_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").touch()

    with pytest.raises(Rejected) as caught:
        check(Package(format=Format.ONNX, root=tmp_path, main="net.onnx", package_bytes=0), TRACK)

    assert [each.facts for each in caught.value.findings] == [{"why": "the file is empty"}]


@pytest.mark.parametrize(("shape", "order"), [((3, 4, 4), True), ((16_000,), False)])
def test_the_order_of_channels_is_told_where_there_are_any(shape: tuple[int, ...], order: bool) -> None:
    model = sound()
    track = replace(TRACK, input=replace(TRACK.input, shape=shape))
    del model.graph.input[0].type.tensor_type.shape.dim[1:]

    (problem,) = contract_problems(model, track)

    assert problem.endswith("channels first") == order
