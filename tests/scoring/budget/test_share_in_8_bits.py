"""Which MACs of a quantised graph are those of 8-bit factors, counted in the process of its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from scoring.budget.onnx_process import share_in_8_bits
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


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(format=Format.ONNX, root=tmp_path, main="net.onnx", package_bytes=0)


def share(package: Package, *nodes: NodeProto, more: Sequence[TensorProto] = ()) -> float:
    graph = helper.make_graph(
        [*POOLED, *nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 224, 224])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 100])],
        initializer=[*(numpy_helper.from_array(value, name) for name, value in WEIGHTS.items()), *more],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.save(model, package.root / package.main)
    return share_in_8_bits(package, TRACK)


def test_two_factors_of_8_bits_count(package: Package) -> None:
    assert share(package, *ROUNDED, WEIGHT, node("MatMul", ["fd", "wd"], ["y"])) == 1.0


def test_float_factors_do_not(package: Package) -> None:
    assert share(package, node("MatMul", ["f", "w"], ["y"])) == 0.0


@pytest.mark.parametrize("factors", [["fd", "w"], ["f", "wd"]])
def test_one_factor_of_8_bits_is_not_enough(package: Package, factors: list[str]) -> None:
    assert share(package, *ROUNDED, WEIGHT, node("MatMul", factors, ["y"])) == 0.0


def test_a_float_bias_changes_nothing(package: Package) -> None:
    bias = numpy_helper.from_array(np.zeros(100, np.float32), "b")

    assert share(package, *ROUNDED, WEIGHT, node("Gemm", ["fd", "wd", "b"], ["y"]), more=[bias]) == 1.0


def test_a_wider_type_that_is_scaled_back_is_not_of_8_bits(package: Package) -> None:
    wide = node("DequantizeLinear", ["w32", "scale"], ["wd"])

    assert share(package, *ROUNDED, wide, node("MatMul", ["fd", "wd"], ["y"])) == 0.0


def test_activations_of_16_bits_are_not_of_8(package: Package) -> None:
    wide = [
        node("QuantizeLinear", ["f", "scale", "zero16"], ["fq"]),
        node("DequantizeLinear", ["fq", "scale", "zero16"], ["fd"]),
    ]

    assert share(package, *wide, WEIGHT, node("MatMul", ["fd", "wd"], ["y"])) == 0.0


def test_shares_are_those_of_macs_and_not_of_operators(package: Package) -> None:
    """300 MACs in 8 bits, then 100 x 100 in float."""
    square = numpy_helper.from_array(np.zeros((100, 100), np.float32), "s")
    nodes = (*ROUNDED, WEIGHT, node("MatMul", ["fd", "wd"], ["z"]), node("MatMul", ["z", "s"], ["y"]))

    assert share(package, *nodes, more=[square]) == 300 / 10_300


def test_a_graph_without_macs_has_nothing_left_in_float(package: Package) -> None:
    assert share(package, node("Relu", ["f"], ["y"])) == 1.0
