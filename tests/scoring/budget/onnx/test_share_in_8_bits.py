"""Which MACs of a quantised graph are those of 8-bit factors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from scoring.budget.onnx.counter import count_model
from scoring.budget.onnx.process import share_in_bits
from scoring.contracts import Format, Package
from scoring.tracks import load_track

TRACK = load_track("cvpr2022-track1").spec
WEIGHTS = {
    "w": np.zeros((3, 100), np.float32),
    "w8": np.zeros((3, 100), np.int8),
    "w32": np.zeros((3, 100), np.int32),
    "scale": np.float32(0.1),
    "zero": np.uint8(0),
    "zero16": np.uint16(0),
}
node = helper.make_node
POOLED = [node("GlobalAveragePool", ["x"], ["p"]), node("Flatten", ["p"], ["f"])]
ROUNDED = [
    node("QuantizeLinear", ["f", "scale", "zero"], ["fq"]),
    node("DequantizeLinear", ["fq", "scale", "zero"], ["fd"]),
]
WEIGHT = node("DequantizeLinear", ["w8", "scale"], ["wd"])


def quantised(*nodes: NodeProto, more: Sequence[TensorProto] = ()) -> onnx.ModelProto:
    graph = helper.make_graph(
        [*POOLED, *nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 224, 224])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 100])],
        initializer=[*(numpy_helper.from_array(value, name) for name, value in WEIGHTS.items()), *more],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def macs(*nodes: NodeProto, more: Sequence[TensorProto] = ()) -> tuple[float, int]:
    """Return the MACs of 8-bit factors, and all of them."""
    counts = count_model(quantised(*nodes, more=more), TRACK.input.sides())
    return counts.share_in_8_bits * counts.macs, counts.macs


def test_two_factors_of_8_bits_count() -> None:
    assert macs(*ROUNDED, WEIGHT, node("MatMul", ["fd", "wd"], ["y"])) == (300, 300)


def test_float_factors_do_not() -> None:
    assert macs(node("MatMul", ["f", "w"], ["y"])) == (0, 300)


@pytest.mark.parametrize("factors", [["fd", "w"], ["f", "wd"]])
def test_one_factor_of_8_bits_is_not_enough(factors: list[str]) -> None:
    assert macs(*ROUNDED, WEIGHT, node("MatMul", factors, ["y"])) == (0, 300)


def test_a_float_bias_changes_nothing() -> None:
    bias = numpy_helper.from_array(np.zeros(100, np.float32), "b")

    assert macs(*ROUNDED, WEIGHT, node("Gemm", ["fd", "wd", "b"], ["y"]), more=[bias]) == (300, 300)


def test_a_wider_type_that_is_scaled_back_is_not_of_8_bits() -> None:
    wide = node("DequantizeLinear", ["w32", "scale"], ["wd"])

    assert macs(*ROUNDED, wide, node("MatMul", ["fd", "wd"], ["y"])) == (0, 300)


def test_activations_of_16_bits_are_not_of_8() -> None:
    wide = [
        node("QuantizeLinear", ["f", "scale", "zero16"], ["fq"]),
        node("DequantizeLinear", ["fq", "scale", "zero16"], ["fd"]),
    ]

    assert macs(*wide, WEIGHT, node("MatMul", ["fd", "wd"], ["y"])) == (0, 300)


def test_shares_are_those_of_macs_and_not_of_operators() -> None:
    """300 MACs in 8 bits, then 100 x 100 in float."""
    square = numpy_helper.from_array(np.zeros((100, 100), np.float32), "s")
    nodes = (*ROUNDED, WEIGHT, node("MatMul", ["fd", "wd"], ["z"]), node("MatMul", ["z", "s"], ["y"]))

    assert macs(*nodes, more=[square]) == (300, 10_300)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([*ROUNDED, WEIGHT, node("MatMul", ["fd", "wd"], ["y"])], 1.0),
        ([node("MatMul", ["f", "w"], ["y"])], 0.0),
        # Without any MACs nothing is left in float.
        ([node("Relu", ["f"], ["y"])], 1.0),
    ],
)
def test_the_share_is_counted_in_a_process_of_its_own(
    tmp_path: Path, nodes: list[NodeProto], expected: float
) -> None:
    onnx.save(quantised(*nodes), tmp_path / "net.onnx")
    package = Package(format=Format.ONNX, root=tmp_path, main="net.onnx", package_bytes=0)

    assert share_in_bits(package, TRACK, 8) == expected


@pytest.mark.parametrize(
    ("of_input", "of_weight", "in_8", "in_16"),
    [
        (TensorProto.UINT8, TensorProto.INT8, 1.0, 1.0),
        (TensorProto.UINT16, TensorProto.INT8, 0.0, 1.0),
        (TensorProto.UINT16, TensorProto.INT16, 0.0, 1.0),
        (TensorProto.INT32, TensorProto.INT8, 0.0, 0.0),
    ],
)
def test_factors_of_16_bits_are_counted_apart(
    of_input: int, of_weight: int, in_8: float, in_16: float
) -> None:
    stored = [
        numpy_helper.from_array(np.ones(shape, dtype=helper.tensor_dtype_to_np_dtype(kind)), name)
        for name, shape, kind in (("a", (1, 4), of_input), ("b", (4, 2), of_weight))
    ]
    nodes = [
        node("DequantizeLinear", ["a", "s"], ["ad"]),
        node("DequantizeLinear", ["b", "s"], ["bd"]),
        node("MatMul", ["ad", "bd"], ["y"]),
    ]
    scale = numpy_helper.from_array(np.array(1.0, np.float32), "s")
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        initializer=[*stored, scale],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])

    counts = count_model(model, (3, 8, 8))

    assert (counts.share_in_8_bits, counts.share_in_16_bits) == (in_8, in_16)


def test_a_batch_that_is_fixed_changes_no_share() -> None:
    model = quantised(*ROUNDED, WEIGHT, node("MatMul", ["fd", "wd"], ["y"]))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4

    assert count_model(model, TRACK.input.sides()).share_in_8_bits == 1


def test_work_on_each_value_is_no_product_of_any_width() -> None:
    """Much of it counts as MACs: rounding activations to 8 bits must not make a graph float."""
    tiled = [node("Tile", ["x", "times"], ["t0"])]
    tiled += [node("Relu", [f"t{place}"], [f"t{place + 1}"]) for place in range(10)]
    times = numpy_helper.from_array(np.array([1, 1, 3, 3]), "times")
    nodes = [*tiled, *ROUNDED, WEIGHT, node("MatMul", ["fd", "wd"], ["y"])]

    counts = count_model(quantised(*nodes, more=[times]), TRACK.input.sides())

    assert counts.macs > 300
    assert counts.share_in_8_bits == 1


def test_what_stands_in_the_body_of_a_branch_stays_as_it_is() -> None:
    body = [
        helper.make_graph(
            [node("MatMul", ["fd", "wd"], [name])],
            name,
            [],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
        )
        for name in ("one", "other")
    ]
    which = numpy_helper.from_array(np.array(1, np.bool_), "which")
    branch = node("If", ["which"], ["y"], then_branch=body[0], else_branch=body[1])

    assert macs(*ROUNDED, WEIGHT, branch, more=[which]) == (0, 300)
