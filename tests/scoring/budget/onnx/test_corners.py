"""Corners of the static count: odd graphs, graphs inside graphs, and the child's own main function."""

from __future__ import annotations

import json
import resource
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, TypeProto, helper, numpy_helper

from scoring.budget.onnx import counter
from scoring.budget.onnx.counter import CPU_S, MEMORY_BYTES, ModelCounts, count_model
from scoring.budget.onnx.parameters import count_parameters
from scoring.budget.onnx.shapes import Fact, Scope, UnknownShapeError

SHAPE = (3, 8, 8)
Weights = dict[str, np.ndarray]
node = helper.make_node
floats = helper.make_tensor_value_info


def zeros(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return np.zeros(shape, dtype)


def network(nodes: Sequence[NodeProto], weights: Weights | None = None) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [floats("x", TensorProto.FLOAT, ["n", *SHAPE])],
        [floats("y", TensorProto.FLOAT, None)],
        initializer=[numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)


def counted(nodes: Sequence[NodeProto], weights: Weights | None = None) -> ModelCounts:
    return count_model(network(nodes, weights), SHAPE)


# --- the process of its own


def test_the_child_prints_the_counts_under_its_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The limits are written down instead of set: they would hold for the process that runs the tests."""
    file = tmp_path / "net.onnx"
    file.write_bytes(
        network([node("Conv", ["x", "w"], ["y"])], {"w": zeros(16, 3, 3, 3)}).SerializeToString()
    )
    limits: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", lambda kind, pair: limits.update({kind: pair}))
    monkeypatch.setattr(sys, "argv", ["counter", str(file), "1000000", "4,1", *(str(size) for size in SHAPE)])

    runpy.run_path(counter.__file__, run_name="__main__")

    printed = json.loads(capsys.readouterr().out)
    assert printed == {
        "parameters": 432,
        "macs": 15_552,
        "uncounted_ops": [],
        "share_in_8_bits": 0.0,
        "share_in_16_bits": 0.0,
    }
    memory = MEMORY_BYTES + 3 * file.stat().st_size
    assert limits == {
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_CPU: (CPU_S, CPU_S),
        resource.RLIMIT_CORE: (0, 0),
    }


def test_a_weight_that_is_declared_as_an_input_keeps_its_shape() -> None:
    model = network([node("Conv", ["x", "w"], ["y"])], {"w": zeros(16, 3, 3, 3)})
    model.graph.input.insert(0, floats("w", TensorProto.FLOAT, [16, 3, 3, 3]))

    assert count_model(model, SHAPE).macs == 16 * 6 * 6 * 27


def test_a_graph_without_inputs_is_counted_as_it_stands() -> None:
    product = helper.make_graph(
        [node("MatMul", ["a", "b"], ["y"])],
        "g",
        [],
        [floats("y", TensorProto.FLOAT, None)],
        initializer=[numpy_helper.from_array(zeros(2, 5), "a"), numpy_helper.from_array(zeros(5, 7), "b")],
    )
    model = helper.make_model(product, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)

    assert count_model(model, SHAPE).macs == 2 * 5 * 7


# --- graphs inside graphs


def loop(nodes: Sequence[NodeProto]) -> NodeProto:
    body = helper.make_graph(
        [*nodes, node("Identity", ["c"], ["c2"])],
        "body",
        [
            floats("i", TensorProto.INT64, []),
            floats("c", TensorProto.BOOL, []),
            floats("v", TensorProto.FLOAT, None),
        ],
        [floats("c2", TensorProto.BOOL, []), floats("v2", TensorProto.FLOAT, None)],
    )
    return node("Loop", ["turns", "", "x"], ["y"], body=body)


# 7 turns of a product with an (8, 8) matrix.
IN_SEVEN_TURNS = 7 * 3 * 8 * 8 * 8
TURNS = loop([node("MatMul", ["v", "w"], ["v2"])])


@pytest.mark.parametrize("value", [{"value_int": 7}, {"value_ints": [7]}])
def test_turns_may_be_a_constant_of_any_form(value: dict[str, object]) -> None:
    counts = counted([node("Constant", [], ["turns"], **value), TURNS], {"w": zeros(8, 8)})

    assert (counts.macs, counts.uncounted_ops) == (IN_SEVEN_TURNS, ())


def test_turns_may_be_computed_from_a_shape() -> None:
    nodes = [
        node("Shape", ["x"], ["sides"]),
        node("Gather", ["sides", "place"], ["side"], axis=0),
        node("Sub", ["side", "one"], ["turns"]),
        TURNS,
    ]

    counts = counted(nodes, {"place": np.array(3), "one": np.array(1), "w": zeros(8, 8)})

    assert (counts.macs, counts.uncounted_ops) == (IN_SEVEN_TURNS, ())


def test_a_product_after_a_loop_counts() -> None:
    nodes = [TURNS, node("MatMul", ["y", "v"], ["z"])]

    counts = counted(nodes, {"turns": np.array(7), "w": zeros(8, 8), "v": zeros(8, 5)})

    assert (counts.macs, counts.uncounted_ops) == (IN_SEVEN_TURNS + 3 * 8 * 8 * 5, ())


def test_a_product_of_what_the_turns_gather_counts() -> None:
    inner = loop([node("MatMul", ["v", "w"], ["v2"])])
    inner.attribute[0].g.output.append(floats("v2", TensorProto.FLOAT, None))
    inner.output.append("all")
    nodes = [inner, node("MatMul", ["all", "v"], ["z"])]

    counts = counted(nodes, {"turns": np.array(7), "w": zeros(8, 8), "v": zeros(8, 5)})

    assert (counts.macs, counts.uncounted_ops) == (IN_SEVEN_TURNS + 7 * 3 * 8 * 8 * 5, ())


def test_a_product_of_what_unknown_turns_gather_is_named() -> None:
    inner = loop([node("Relu", ["v"], ["v2"])])
    inner.attribute[0].g.output.append(floats("v2", TensorProto.FLOAT, None))
    inner.output.append("all")
    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Cast", ["s"], ["turns"], to=TensorProto.INT64),
        inner,
        node("MatMul", ["all", "v"], ["z"]),
    ]

    assert counted(nodes, {"v": zeros(8, 5)}).uncounted_ops == ("MatMul (shape unknown)",)


def test_a_loop_in_which_nothing_multiplies_is_named_alone() -> None:
    body = [
        node("NonZero", ["v"], ["places"]),
        node("Add", ["places", "places"], ["twice"]),
        node("Cast", ["twice"], ["v2"], to=TensorProto.FLOAT),
    ]

    assert counted([loop(body)], {"turns": np.array(10**6)}).uncounted_ops == ("Loop",)


def test_a_loop_that_carries_what_nobody_writes_is_named() -> None:
    body = [node("MatMul", ["v", "w"], ["other"])]

    counts = counted([loop(body)], {"turns": np.array(7), "w": zeros(8, 8)})

    assert counts.uncounted_ops == ("MatMul (shape unknown)",)


# A condition that depends on the picture.
OF_THE_PICTURE = (
    node("ReduceSum", ["x"], ["s"], keepdims=0),
    node("Cast", ["s"], ["c"], to=TensorProto.BOOL),
)


def either(then_to: np.ndarray, else_to: np.ndarray) -> NodeProto:
    """Reshape by a target that is computed, in each branch to its own."""

    def inner(name: str, to: np.ndarray) -> onnx.GraphProto:
        nodes = [
            node("Constant", [], [f"{name}_to"], value=numpy_helper.from_array(to)),
            node("Unsqueeze", [f"{name}_to", "none"], [f"{name}_row"]),
            node("Squeeze", [f"{name}_row", "none"], [f"{name}_line"]),
            node("Reshape", ["x", f"{name}_line"], [name]),
        ]
        return helper.make_graph(nodes, name, [], [floats(name, TensorProto.FLOAT, None)])

    return node("If", ["c"], ["z"], then_branch=inner("t", then_to), else_branch=inner("e", else_to))


def test_a_product_after_branches_that_agree_counts() -> None:
    branches = either(np.array([-1, 64]), np.array([3, 64]))
    nodes = [*OF_THE_PICTURE, branches, node("MatMul", ["z", "w"], ["y"])]

    counts = counted(nodes, {"none": np.array([0]), "w": zeros(64, 5)})

    assert (counts.macs, counts.uncounted_ops) == (3 * 64 * 5, ())


def test_a_product_after_branches_that_differ_is_named() -> None:
    branches = either(np.array([3, 64]), np.array([1, 3, 64]))
    nodes = [*OF_THE_PICTURE, branches, node("MatMul", ["z", "w"], ["y"])]

    counts = counted(nodes, {"none": np.array([0]), "w": zeros(64, 5)})

    assert counts.uncounted_ops == ("MatMul (shape unknown)",)


def test_a_loop_that_reads_a_value_from_around_it_is_counted() -> None:
    """`square` is no constant, so that only its type is known inside the body."""
    body = [node("Softmax", ["v"], ["soft"], axis=-1), node("MatMul", ["soft", "square"], ["v2"])]
    nodes = [node("Relu", ["w"], ["square"]), loop(body)]

    assert counted(nodes, {"turns": np.array(7), "w": zeros(8, 8)}).macs == 7 * 3 * 8 * 8 * 8


def test_a_loop_that_reads_a_value_that_nobody_writes_is_named() -> None:
    nodes = [loop([node("MatMul", ["v", "nowhere"], ["v2"])])]

    assert counted(nodes, {"turns": np.array(7)}).uncounted_ops == ("MatMul (shape unknown)",)


def test_a_branch_inside_a_loop_reads_from_around_the_loop() -> None:
    def inner(name: str) -> onnx.GraphProto:
        return helper.make_graph(
            [node("MatMul", ["v", "w"], [name])], name, [], [floats(name, TensorProto.FLOAT, None)]
        )

    either = node("If", ["c"], ["v2"], then_branch=inner("t"), else_branch=inner("e"))

    counts = counted([loop([either])], {"turns": np.array(5), "w": zeros(8, 8)})

    assert counts.macs == 5 * 3 * 8 * 8 * 8


def test_a_loop_whose_turns_are_many_numbers_is_named() -> None:
    nodes = [loop([node("MatMul", ["v", "w"], ["v2"])])]

    counts = counted(nodes, {"turns": np.array([7, 7]), "w": zeros(8, 8)})

    assert counts.uncounted_ops == ("Loop (shape unknown)",)


@pytest.mark.parametrize("turns", [np.array([7, 7]), np.array(7.0), np.array([True])])
def test_only_one_integer_is_a_number_of_turns(turns: np.ndarray) -> None:
    scope = Scope({"turns": Fact(TypeProto(), turns)})

    with pytest.raises(UnknownShapeError):
        scope.integer("turns")


@pytest.mark.parametrize("condition", [np.array([True, True]), np.array(1), np.array(1.0)])
def test_only_one_boolean_is_a_condition(condition: np.ndarray) -> None:
    scope = Scope({"c": Fact(TypeProto(), condition)})

    with pytest.raises(UnknownShapeError):
        scope.truth("c")


@pytest.mark.parametrize("scanned", [0, -1, 2])
def test_a_scan_with_another_number_of_axes_than_inputs_is_named(scanned: int) -> None:
    body = helper.make_graph(
        [node("MatMul", ["slice", "w"], ["out"])],
        "body",
        [floats("slice", TensorProto.FLOAT, None)],
        [floats("out", TensorProto.FLOAT, None)],
    )
    scan = node("Scan", ["x"], ["y"], body=body, num_scan_inputs=scanned, scan_input_axes=[1])

    assert counted([scan], {"w": zeros(8, 5)}).uncounted_ops == ("Scan (shape unknown)",)


def test_declared_shapes_inside_branches_are_not_believed() -> None:
    inner = helper.make_graph(
        [node("Conv", ["x", "w"], ["big"]), node("Conv", ["big", "v"], ["z"])],
        "inner",
        [],
        [floats("z", TensorProto.FLOAT, [1, 1, 1, 1])],
        value_info=[floats("big", TensorProto.FLOAT, [1, 16, 1, 1])],
    )
    either = node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    weights = {"c": np.array([True]), "w": zeros(16, 3, 3, 3), "v": zeros(2, 16, 1, 1)}

    assert counted([either], weights).macs == 16 * 6 * 6 * 27 + 2 * 6 * 6 * 16


# --- operators


@pytest.mark.parametrize("equation", ["nchwz,wk->nk", "nc,wk->nk"])
def test_an_einsum_that_does_not_fit_its_factors_is_named(equation: str) -> None:
    product = node("Einsum", ["x", "w"], ["y"], equation=equation)

    assert counted([product], {"w": zeros(8, 7)}).uncounted_ops == ("Einsum (shape unknown)",)


@pytest.mark.parametrize("heads", [{}, {"q_num_heads": 2}, {"q_num_heads": 0, "kv_num_heads": 0}])
def test_flat_attention_that_does_not_say_its_heads_is_named(heads: dict[str, int]) -> None:
    nodes = [node("Reshape", ["x", "to"], ["flat"]), node("Attention", ["flat"] * 3, ["y"], **heads)]

    assert counted(nodes, {"to": np.array([-1, 24, 8])}).uncounted_ops == ("Attention (shape unknown)",)


def test_attention_looks_at_past_keys_too() -> None:
    inputs = ["x", "x", "x", "", "past_keys", "past_values"]
    past = {"past_keys": zeros(1, 3, 5, 8), "past_values": zeros(1, 3, 5, 8)}

    counts = counted([node("Attention", inputs, ["y", "keys", "values"])], past)

    assert counts.macs == 3 * 8 * (8 + 5) * (8 + 8)


# --- parameters


def sparse(*, values: int) -> onnx.SparseTensorProto:
    made = onnx.SparseTensorProto(dims=[10, 10])
    made.values.CopyFrom(numpy_helper.from_array(zeros(values), "sparse"))
    made.indices.CopyFrom(numpy_helper.from_array(np.arange(values, dtype=np.int64), "places"))
    return made


def test_a_sparse_weight_counts_its_values() -> None:
    model = network([node("Relu", ["x"], ["y"])])
    model.graph.sparse_initializer.append(sparse(values=4))
    model.graph.node.append(node("Constant", [], ["s"], sparse_value=sparse(values=9)))

    assert count_parameters(model.graph) == 4 + 9


def test_text_is_no_parameter() -> None:
    model = network([node("Relu", ["x"], ["y"])])
    model.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [2], [b"cat", b"dog"]))

    assert count_parameters(model.graph) == 0


# --- small values that nobody can work out


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(node("Div", ["s", "numbers"], ["to"]), id="a division by a tensor of another size"),
        pytest.param(node("Gather", ["s", "numbers"], ["to"]), id="a place that is not there"),
    ],
)
def test_a_step_that_makes_no_sense_leaves_the_shape_unknown(nonsense: NodeProto) -> None:
    nodes = [
        node("Shape", ["x"], ["s"]),
        nonsense,
        node("Reshape", ["x", "to"], ["flat"]),
        node("MatMul", ["flat", "w"], ["y"]),
    ]

    counts = counted(nodes, {"numbers": np.array([9, 9, 9]), "w": zeros(64, 5)})

    assert "MatMul (shape unknown)" in counts.uncounted_ops
