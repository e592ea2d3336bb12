"""Static ONNX counts against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from scoring.budget.onnx.counter import ModelCounts, count_model
from scoring.budget.static import count
from scoring.contracts import (
    Format,
    InputContract,
    Metric,
    OutputContract,
    OutputKind,
    Package,
    StaticCounts,
    TrackSpec,
)
from scoring.errors import Rejected

TRACK = TrackSpec(
    slug="t",
    name="T",
    formats=(Format.ONNX,),
    input=InputContract(shape=(3, 8, 8)),
    output=OutputContract(kind=OutputKind.LOGITS, width=10),
    metric=Metric.ACCURACY,
)
Weights = dict[str, np.ndarray]


def zeros(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return np.zeros(shape, dtype)


def network(
    nodes: Sequence[NodeProto],
    weights: Weights | None = None,
    *,
    batch: int | str = "n",
    value_info: Sequence[onnx.ValueInfoProto] = (),
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializer=[numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
        value_info=value_info,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)


def counted(*arguments: Any, **options: Any) -> ModelCounts:
    return count_model(network(*arguments, **options), TRACK.input.shape)


def counted_apart(model: onnx.ModelProto, folder: Path) -> StaticCounts:
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return count(Package(format=Format.ONNX, root=folder, main="net.onnx", package_bytes=0), TRACK)


node = helper.make_node
FLAT = node("Reshape", ["x", "to"], ["flat"])
TO_MATRIX = {"to": np.array([-1, 24, 8])}


@pytest.mark.parametrize("batch", ["n", 1])
def test_a_convolution_takes_outputs_times_kernel(batch: int | str) -> None:
    counts = counted([node("Conv", ["x", "w"], ["y"])], {"w": zeros(16, 3, 3, 3)}, batch=batch)

    assert counts.macs == 16 * 6 * 6 * 3 * 3 * 3
    assert counts.parameters == 16 * 3 * 3 * 3


def test_groups_strides_padding_and_dilation_change_the_count() -> None:
    conv = node("Conv", ["x", "w"], ["y"], group=3, strides=[2, 2], pads=[2, 2, 2, 2], dilations=[2, 2])

    assert counted([conv], {"w": zeros(6, 1, 3, 3)}).macs == 6 * 4 * 4 * 1 * 3 * 3


def test_a_transposed_convolution_takes_inputs_times_kernel() -> None:
    counts = counted([node("ConvTranspose", ["x", "w"], ["y"])], {"w": zeros(3, 5, 2, 2)})

    assert counts.macs == 3 * 8 * 8 * 5 * 2 * 2


def test_a_fixed_batch_counts_one_sample() -> None:
    assert counted([node("Conv", ["x", "w"], ["y"])], {"w": zeros(16, 3, 3, 3)}, batch=4).macs == 15_552


def test_a_quantised_convolution_counts() -> None:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("QLinearConv", ["q", "s", "z", "w", "s", "wz", "s", "z"], ["y"]),
    ]
    weights = {
        "s": np.float32(1),
        "z": np.uint8(0),
        "wz": np.int8(0),
        "w": zeros(4, 3, 3, 3, dtype=np.int8),
    }

    counts = counted(nodes, {name: np.asarray(value) for name, value in weights.items()})

    assert counts.macs == 4 * 6 * 6 * 27
    assert counts.parameters == 4 * 27 + 3


@pytest.mark.parametrize(("trans_a", "shape"), [(0, (8, 5)), (1, (24, 5))])
def test_a_general_product_sums_over_the_inner_axis(trans_a: int, shape: tuple[int, int]) -> None:
    nodes = [node("Reshape", ["x", "to"], ["a"]), node("Gemm", ["a", "w"], ["y"], transA=trans_a)]

    counts = counted(nodes, {"to": np.array([24, 8]), "w": zeros(*shape)})

    assert counts.macs == 24 * 8 * 5


def test_a_matrix_product_broadcasts_over_batches() -> None:
    assert counted([node("MatMul", ["x", "w"], ["y"])], {"w": zeros(8, 7)}).macs == 3 * 8 * 8 * 7


def test_an_integer_product_counts() -> None:
    nodes = [
        node("Cast", ["x"], ["q"], to=TensorProto.UINT8),
        node("MatMulInteger", ["q", "w"], ["y"]),
    ]

    assert counted(nodes, {"w": zeros(8, 7, dtype=np.uint8)}).macs == 3 * 8 * 8 * 7


@pytest.mark.parametrize(
    ("equation", "shape", "macs"),
    [
        ("nchw,wk->nchk", (8, 7), 3 * 8 * 8 * 7),
        ("...w,wk->...k", (8, 7), 3 * 8 * 8 * 7),
        ("nchw, nchw -> n", (1, 3, 8, 8), 3 * 8 * 8),
    ],
)
def test_an_einsum_multiplies_all_its_indices(equation: str, shape: tuple[int, ...], macs: int) -> None:
    assert counted([node("Einsum", ["x", "w"], ["y"], equation=equation)], {"w": zeros(*shape)}).macs == macs


@pytest.mark.parametrize(("operator", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_a_recurrence_applies_its_weights_at_each_step(operator: str, gates: int) -> None:
    nodes = [FLAT, node(operator, ["flat", "w", "r"], ["y"], hidden_size=5, direction="bidirectional")]
    weights = {**TO_MATRIX, "w": zeros(2, gates * 5, 8), "r": zeros(2, gates * 5, 5)}

    assert counted(nodes, weights).macs == 1 * 24 * 2 * gates * 5 * (8 + 5)


def test_attention_multiplies_twice_for_each_head() -> None:
    assert counted([node("Attention", ["x", "x", "x"], ["y"])]).macs == 3 * 8 * 8 * (8 + 8)


def test_attention_on_flat_heads_counts_the_same() -> None:
    nodes = [FLAT, node("Attention", ["flat", "flat", "flat"], ["y"], q_num_heads=2, kv_num_heads=2)]

    assert counted(nodes, TO_MATRIX).macs == 2 * 24 * 24 * (4 + 4)


def test_a_product_written_as_broadcast_and_sum_counts() -> None:
    nodes = [
        node("Reshape", ["x", "to"], ["a"]),
        node("Mul", ["a", "w"], ["m"]),
        node("ReduceSum", ["m"], ["y"]),
    ]

    assert counted(nodes, {"to": np.array([24, 8, 1]), "w": zeros(8, 7)}).macs == 24 * 8 * 7


@pytest.mark.parametrize("operator", ["Mul", "Div"])
@pytest.mark.parametrize(
    "repeat", [node("Expand", ["a", "whole"], ["e"]), node("Tile", ["a", "times"], ["e"])]
)
def test_a_product_whose_factor_was_repeated_before_counts(operator: str, repeat: NodeProto) -> None:
    nodes = [
        node("Reshape", ["x", "to"], ["a"]),
        repeat,
        node("Identity", ["e"], ["i"]),
        node(operator, ["i", "w"], ["m"]),
        node("ReduceSum", ["m"], ["y"]),
    ]
    to = {"to": np.array([24, 8, 1]), "whole": np.array([24, 8, 7]), "times": np.array([1, 1, 7])}

    assert counted(nodes, {**to, "w": zeros(8, 7)}).macs == 24 * 8 * 7


def test_scaling_by_a_repeated_factor_is_free() -> None:
    nodes = [node("Expand", ["scale", "to"], ["e"]), node("Mul", ["x", "e"], ["y"])]

    assert counted(nodes, {"scale": zeros(3, 1, 1), "to": np.array([1, 3, 8, 8])}).macs == 0


def test_values_that_claim_to_repeat_each_other_are_counted_all_the_same() -> None:
    nodes = [
        node("Identity", ["b"], ["a"]),
        node("Identity", ["a"], ["b"]),
        node("Mul", ["a", "b"], ["y"]),
    ]

    assert counted(nodes).uncounted_ops == ("Mul (shape unknown)",)


def test_elementwise_arithmetic_is_free() -> None:
    counts = counted([node("Mul", ["x", "w"], ["m"]), node("Relu", ["m"], ["y"])], {"w": zeros(1)})

    assert counts.macs == 0
    assert counts.uncounted_ops == ()


def test_shapes_computed_in_the_graph_are_followed() -> None:
    """The target of the reshape is [n, c, h * w * 2 / 2], as exporters write it for an open batch."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Slice", ["s", "zero", "two"], ["front"]),
        node("Slice", ["s", "two", "four"], ["back"]),
        node("ReduceProd", ["back"], ["area"]),
        node("Mul", ["area", "two"], ["twice"]),
        node("Div", ["twice", "two"], ["length"]),
        node("Equal", ["length", "length"], ["same"]),
        node("Where", ["same", "length", "zero"], ["chosen"]),
        node("Concat", ["front", "chosen"], ["to"], axis=0),
        node("Reshape", ["x", "to"], ["flat"]),
        node("MatMul", ["flat", "w"], ["y"]),
    ]
    weights = {name: np.array([value]) for name, value in (("zero", 0), ("two", 2), ("four", 4))}

    counts = counted(nodes, {**weights, "w": zeros(64, 5)})

    assert counts.macs == 3 * 64 * 5
    assert counts.uncounted_ops == ()


# --- graphs inside graphs


def branch(name: str, weight: str) -> onnx.GraphProto:
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    return helper.make_graph([node("Conv", ["x", weight], [name])], name, [], [output])


EITHER = node("If", ["c"], ["y"], then_branch=branch("t", "w"), else_branch=branch("e", "v"))
OF_BOTH = {"w": zeros(4, 3, 1, 1), "v": zeros(4, 3, 3, 3)}


def test_the_dearest_branch_counts_where_the_picture_decides() -> None:
    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Cast", ["s"], ["c"], to=TensorProto.BOOL),
        EITHER,
    ]

    counts = counted(nodes, OF_BOTH)

    assert counts.macs == 4 * 6 * 6 * 27
    assert counts.parameters == 4 * 3 + 4 * 27


@pytest.mark.parametrize(("condition", "macs"), [(True, 4 * 8 * 8 * 3), (False, 4 * 6 * 6 * 27)])
def test_the_branch_that_is_taken_counts_where_that_is_known(condition: bool, macs: int) -> None:
    assert counted([EITHER], {**OF_BOTH, "c": np.array([condition])}).macs == macs


def loop_body(weight: str) -> onnx.GraphProto:
    return helper.make_graph(
        [node("MatMul", ["v", weight], ["v2"]), node("Identity", ["c"], ["c2"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [1, 1, 1, 1]),
        ],
        [
            helper.make_tensor_value_info("c2", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v2", TensorProto.FLOAT, [1, 1, 1, 1]),
        ],
    )


def test_a_loop_counts_its_turns_from_true_shapes() -> None:
    loop = node("Loop", ["turns", "", "x"], ["y"], body=loop_body("w"))

    assert counted([loop], {"turns": np.array(7), "w": zeros(8, 8)}).macs == 7 * 3 * 8 * 8 * 8


@pytest.mark.parametrize(("turns", "named"), [(7, "MatMul (shape unknown)"), (10**6, "Loop (shape unknown)")])
def test_a_loop_whose_value_outgrows_its_product_is_named(turns: int, named: str) -> None:
    loop = node("Loop", ["turns", "", "x"], ["y"], body=loop_body("w"))

    counts = counted([loop], {"turns": np.array(turns), "w": zeros(8, 9)})

    assert counts.uncounted_ops == (named,)


def test_a_loop_of_unknown_length_is_named() -> None:
    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Cast", ["s"], ["turns"], to=TensorProto.INT64),
        node("Loop", ["turns", "", "x"], ["y"], body=loop_body("w")),
    ]

    assert counted(nodes, {"w": zeros(8, 8)}).uncounted_ops == ("Loop (shape unknown)",)


def test_a_scan_counts_each_slice() -> None:
    body = helper.make_graph(
        [node("MatMul", ["slice", "w"], ["out"])],
        "body",
        [helper.make_tensor_value_info("slice", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
    )
    scan = node("Scan", ["x"], ["y"], body=body, num_scan_inputs=1, scan_input_axes=[1])

    assert counted([scan], {"w": zeros(8, 5)}).macs == 3 * 8 * 8 * 5


# --- what cannot be counted, and what lies


@pytest.mark.parametrize("operator", ["TfIdfVectorizer", "NoSuchOperator"])
def test_operators_in_no_table_are_named(operator: str) -> None:
    assert counted([node(operator, ["x"], ["y"])]).uncounted_ops == (operator,)


def test_operators_not_counted_are_named(tmp_path: Path) -> None:
    model = network([node("TfIdfVectorizer", ["x"], ["y"])])

    assert counted_apart(model, tmp_path).uncounted_ops == ("TfIdfVectorizer",)


def test_a_model_is_counted_in_a_process_of_its_own(tmp_path: Path) -> None:
    model = network([node("Conv", ["x", "w"], ["y"])], {"w": zeros(16, 3, 3, 3)})

    assert counted_apart(model, tmp_path) == StaticCounts(parameters=432, macs=15_552)


def test_unknown_shapes_are_named() -> None:
    nodes = [node("NonZero", ["x"], ["nz"]), node("MatMul", ["nz", "w"], ["y"])]

    assert counted(nodes, {"w": zeros(8, 8)}).uncounted_ops == ("MatMul (shape unknown)",)


def test_declared_shapes_are_not_believed() -> None:
    nodes = [node("Conv", ["x", "w"], ["big"]), node("Relu", ["big"], ["y"])]
    lie = helper.make_tensor_value_info("big", TensorProto.FLOAT, [1, 16, 1, 1])

    assert counted(nodes, {"w": zeros(16, 3, 3, 3)}, value_info=[lie]).macs == 15_552


def test_a_node_without_its_inputs_is_named() -> None:
    assert counted([node("Conv", ["x"], ["y"])]).uncounted_ops == ("Conv (shape unknown)",)


def test_a_huge_constant_is_not_made() -> None:
    nodes = [
        node("ConstantOfShape", ["size"], ["huge"]),
        node("MatMul", ["huge", "w"], ["y"]),
    ]

    counts = counted(nodes, {"size": np.array([10**9, 10**9, 8]), "w": zeros(8, 2)})

    assert counts.macs == 10**18 * 8 * 2


def test_a_huge_constant_is_refused(tmp_path: Path) -> None:
    nodes = [node("ConstantOfShape", ["size"], ["ones"]), node("ReduceMax", ["ones"], ["y"])]
    model = network(nodes, {"size": np.array([10**9])})

    with pytest.raises(Rejected) as caught:
        counted_apart(model, tmp_path)

    assert caught.value.code == "unsupported_onnx"
    assert "4,000,000,000 bytes" in str(caught.value.findings[0].facts["why"])


def test_a_loop_of_a_thousand_million_turns_is_refused(tmp_path: Path) -> None:
    body = loop_body("w")
    body.node[0].op_type = "Add"
    loop = node("Loop", ["turns", "", "x"], ["y"], body=body)
    model = network([loop], {"turns": np.array(10**9), "w": zeros(1)})

    with pytest.raises(Rejected) as caught:
        counted_apart(model, tmp_path)

    assert caught.value.code == "unsupported_onnx"
    assert "2,000,000,001 operators" in str(caught.value.findings[0].facts["why"])


def test_a_shape_that_doubles_for_ever_is_refused(tmp_path: Path) -> None:
    doubling = [node("Concat", [f"s{turn}", f"s{turn}"], [f"s{turn + 1}"], axis=0) for turn in range(40)]
    model = network([node("Shape", ["x"], ["s0"]), *doubling, node("Identity", ["s40"], ["y"])])

    with pytest.raises(Rejected) as caught:
        counted_apart(model, tmp_path)

    assert caught.value.code == "unsupported_onnx"


@pytest.mark.parametrize("condition", ["", "true"])
def test_a_loop_that_never_ends_is_refused(condition: str, tmp_path: Path) -> None:
    loop = node("Loop", ["", condition, "x"], ["y"], body=loop_body("w"))
    model = network([loop], {"true": np.array([True]), "w": zeros(8, 8)})

    with pytest.raises(Rejected) as caught:
        counted_apart(model, tmp_path)

    assert caught.value.findings[0].facts["why"] == "one of its loops never ends"


# --- parameters

MORE_THAN_FREE = 2**18 + 1


def test_weights_in_constant_nodes_count() -> None:
    constant = node("Constant", [], ["w"], value=numpy_helper.from_array(zeros(16, 3, 3, 3)))
    floats = node("Constant", [], ["v"], value_floats=[1.0, 2.0])

    assert counted([constant, floats, node("Conv", ["x", "w"], ["y"])]).parameters == 432 + 2


def test_shapes_and_index_tables_are_no_parameters() -> None:
    counts = counted(
        [FLAT, node("Relu", ["flat"], ["y"])], {**TO_MATRIX, "table": zeros(2**18 - 9, dtype=np.int64)}
    )

    assert counts.parameters == 0


def test_weights_hidden_as_integers_count() -> None:
    counts = counted([node("Relu", ["x"], ["y"])], {"table": zeros(MORE_THAN_FREE, dtype=np.int32)})

    assert counts.parameters == MORE_THAN_FREE


@pytest.mark.parametrize(
    ("constant", "hidden"),
    [
        pytest.param({"value_ints": [1] * MORE_THAN_FREE}, MORE_THAN_FREE, id="list of integers"),
        pytest.param({"value_string": b"1.5," * MORE_THAN_FREE}, MORE_THAN_FREE, id="one long text"),
        pytest.param({"value_strings": [b"1"] * 4 * MORE_THAN_FREE}, MORE_THAN_FREE, id="many short texts"),
    ],
)
def test_weights_hidden_in_lists_and_texts_count(constant: dict[str, object], hidden: int) -> None:
    assert counted([helper.make_node("Constant", [], ["w"], **constant)]).parameters == hidden


def test_weights_hidden_in_a_tensor_of_texts_count() -> None:
    texts = helper.make_tensor("w", TensorProto.STRING, [1], [b"1.5," * MORE_THAN_FREE])

    assert counted([helper.make_node("Constant", [], ["w"], value=texts)]).parameters == MORE_THAN_FREE


def test_weights_hidden_in_another_operator_count() -> None:
    split = helper.make_node("Pool", ["x"], ["y"], weights=[0.5] * MORE_THAN_FREE)

    assert counted([split]).parameters == MORE_THAN_FREE


def test_short_lists_and_texts_are_no_parameters() -> None:
    nodes = [
        helper.make_node("Constant", [], ["axes"], value_ints=[0, 1]),
        helper.make_node("Resize", ["x"], ["y"], mode="linear", axes=[2, 3]),
    ]

    assert counted(nodes).parameters == 0


def test_weights_inside_branches_count() -> None:
    then = branch("t", "w")
    then.initializer.append(numpy_helper.from_array(zeros(4, 3, 1, 1), "w"))
    either = node("If", ["c"], ["y"], then_branch=then, else_branch=branch("e", "v"))

    counts = counted([either], {"c": np.array([True]), "v": zeros(4, 3, 1, 1)})

    assert counts.parameters == 24
    assert counts.macs == 4 * 3 * 64


def test_external_weights_in_one_place_count_once() -> None:
    def external(name: str, offset: int) -> TensorProto:
        tensor = TensorProto(name=name, dims=[10, 10], data_type=TensorProto.FLOAT)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "w.bin"), ("offset", str(offset)), ("length", "400")):
            tensor.external_data.add(key=key, value=value)
        return tensor

    graph = helper.make_graph(
        [node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializer=[external("a", 0), external("b", 0), external("c", 400)],
    )

    assert count_model(helper.make_model(graph), TRACK.input.shape).parameters == 200


def test_small_external_weights_do_not_disturb_the_count() -> None:
    nodes = [
        node("NonZero", ["x"], ["places"]),
        node("MatMul", ["places", "w"], ["lost"]),
        node("MatMul", ["x", "w"], ["y"]),
    ]
    model = network(nodes, {"w": zeros(8, 2)})
    model.graph.initializer[0].ClearField("raw_data")
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    model.graph.initializer[0].external_data.add(key="location", value="w.bin")

    counts = count_model(model, TRACK.input.shape)

    assert counts.macs == 3 * 8 * 8 * 2
    assert counts.uncounted_ops == ("MatMul (shape unknown)",)


def external_target(folder: Path, *, dtype: int = TensorProto.INT64) -> onnx.ModelProto:
    """Reshape to a target that lies in a file of its own, then multiply."""
    nodes = [FLAT, node("MatMul", ["flat", "w"], ["y"])]
    model = network(nodes, {**TO_MATRIX, "w": zeros(8, 2)})
    target = model.graph.initializer[0]
    (folder / "to.bin").write_bytes(target.raw_data)
    target.ClearField("raw_data")
    target.data_type = dtype
    target.data_location = TensorProto.EXTERNAL
    target.external_data.add(key="location", value="to.bin")
    return model


def test_a_target_in_a_file_of_its_own_is_read(tmp_path: Path) -> None:
    counts = counted_apart(external_target(tmp_path), tmp_path)

    assert (counts.macs, counts.uncounted_ops) == (24 * 8 * 2, ())


def test_nothing_but_integers_is_read_from_other_files(tmp_path: Path) -> None:
    counts = counted_apart(external_target(tmp_path, dtype=TensorProto.DOUBLE), tmp_path)

    assert counts.uncounted_ops == ("MatMul (shape unknown)",)


def test_code_packages_are_counted_only_by_running(tmp_path: Path) -> None:
    package = Package(format=Format.CVPR_ZIP, root=tmp_path, main="model.py", package_bytes=5)

    assert count(package, TRACK) == StaticCounts()


# --- tables


@pytest.mark.parametrize(("stated", "expected"), [(None, None), (0, 0), (7, 7)])
def test_what_the_package_states_of_itself_counts(stated: int | None, expected: int | None) -> None:
    package = Package(format=Format.GASBENCH, root=Path("root"), main="model.py", package_bytes=0)

    assert count(package, TRACK, stated=StaticCounts(parameters=stated)).parameters == expected
