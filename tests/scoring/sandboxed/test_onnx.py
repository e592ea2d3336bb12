from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from scoring.contracts import ANSWER, INLINED, Format, Task

OPSET = 17


def write_graph(
    child, *, batch: int | str = "n", kind: int = TensorProto.FLOAT, nodes=None, output="rows"
) -> None:
    """Write a graph that returns the mean of each channel of what it is given."""
    nodes = nodes or [
        helper.make_node("Cast", ["x"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["rows"], axes=[2, 3], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("x", kind, [batch, 3, 16, 16])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    (child.package / "net.onnx").write_bytes(model.SerializeToString())


def means(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float64).mean((2, 3))


@pytest.mark.parametrize("batch", ["n", 1, 4, 8])
def test_any_batch_size_of_the_graph_gives_one_row_a_sample(child, batch):
    write_graph(child, batch=batch)

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx", batch_size=3)

    assert ended.reply == {"outcome": "ok", "rows": 5}
    np.testing.assert_allclose(ended.rows, means(child.pixels) / 255, rtol=1e-5)


def test_uint8_graphs_get_raw_values(child):
    write_graph(child, kind=TensorProto.UINT8)

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx")

    np.testing.assert_allclose(ended.rows, means(child.pixels), rtol=1e-5)


def test_predicting_a_graph_needs_no_torch(child):
    write_graph(child)

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx")

    assert ended.log == ""


def test_other_input_types_are_refused(child):
    write_graph(child, kind=TensorProto.INT64)

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx")

    why = "the graph's input is a tensor(int64); float and uint8 are allowed"
    assert ended.reply == {"outcome": "load_failed", "facts": {"why": why}}


def test_custom_operators_are_refused(child):
    write_graph(child, nodes=[helper.make_node("Steal", ["x"], ["rows"], domain="evil")])

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx")

    assert ended.reply["outcome"] == "load_failed"


def test_a_wrong_width_is_named(child):
    write_graph(child, nodes=[helper.make_node("ReduceMean", ["x"], ["rows"], axes=[1, 3], keepdims=0)])

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx")

    assert ended.reply["outcome"] == "wrong_output_shape"
    assert ended.reply["facts"]["found"] == "(2, 16)"


def test_a_wrong_number_of_rows_is_named(child):
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Concat", ["means", "means"], ["rows"], axis=0),
    ]
    write_graph(child, nodes=nodes)

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx")

    assert ended.reply == {"outcome": "wrong_output_count", "facts": {"found": 4, "expected": 2}}


@pytest.mark.parametrize("beside", [{}, {"save_as_external_data": True, "size_threshold": 0}])
def test_measuring_compares_with_the_converted_model(child, beside):
    """Also where the weights lie in a file beside the model, as torch writes them."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [5, 3, 3, 3], np.ones(135, np.float32))
    scale = helper.make_tensor("s", TensorProto.FLOAT, [5, 3], np.ones(15, np.float32))
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["maps"]),
            helper.make_node("ReduceMean", ["maps"], ["means"], axes=[2, 3], keepdims=0),
            helper.make_node("MatMul", ["means", "s"], ["rows"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 16, 16])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, None)],
        [weight, scale],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8),
        child.package / "net.onnx",
        **beside,
    )

    ended = child.run(Task.MEASURE, Format.ONNX, main="net.onnx")

    macs = 14 * 14 * 5 * 27 + 15
    assert ended.reply["parameters"] == 135 + 15
    assert ended.reply["macs_by_counter"] == {"dispatch": macs, "ptflops": macs, "fvcore": macs}
    assert ended.reply["warnings"] == []


def test_a_graph_that_cannot_be_converted_is_measured_with_a_warning(child):
    nodes = [
        helper.make_node("Det", ["x"], ["rows"]),
    ]
    write_graph(child, nodes=nodes)

    ended = child.run(Task.MEASURE, Format.ONNX, main="net.onnx")

    codes = [warning["code"] for warning in ended.reply["warnings"]]
    assert ended.reply["outcome"] == "ok"
    assert ended.reply["macs_by_counter"] == {"dispatch": None, "ptflops": None, "fvcore": None}
    assert codes == ["conversion_unavailable", "no_trainable_parameters"]


def test_a_graph_that_answers_one_sample_only_is_told_so(child):
    nodes = [
        helper.make_node("Constant", [], ["to"], value_ints=[1, 3, 256]),
        helper.make_node("Reshape", ["x", "to"], ["flat"]),
        helper.make_node("ReduceMean", ["flat"], ["rows"], axes=[2], keepdims=0),
    ]
    write_graph(child, nodes=nodes)

    ended = child.run(Task.MEASURE, Format.ONNX, main="net.onnx")

    assert ended.reply["outcome"] == "crashed"
    assert "Reshape" in ended.reply["facts"]["why"]
    assert "a batch of 1" in ended.reply["facts"]["why"]


@pytest.mark.parametrize("batch", [1, 8])
def test_a_fixed_batch_counts_one_sample_by_every_counter(child, batch):
    """Products of two values are functions to torch, and no modules."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [3, 3, 3, 3], np.ones(81, np.float32))
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["maps"]),
            helper.make_node("Transpose", ["maps"], ["turned"], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["maps", "turned"], ["products"]),
            helper.make_node("ReduceMean", ["products"], ["rows"], axes=[2, 3], keepdims=0),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, 16, 16])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, None)],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.save(model, child.package / "net.onnx")

    ended = child.run(Task.MEASURE, Format.ONNX, main="net.onnx")

    macs = 14 * 14 * 3 * 27 + 3 * 14 * 14 * 14
    assert ended.reply["macs_by_counter"] == {"dispatch": macs, "ptflops": macs, "fvcore": macs}


def test_converters_that_need_torchvision_are_loaded_for_graphs_with_their_operators(tmp_path):
    """They are left out when onnx2torch is imported."""
    from scoring.sandboxed.measures.conversion import convert

    regions = helper.make_tensor("regions", TensorProto.FLOAT, [1, 4], np.array([0, 0, 8, 8], np.float32))
    places = helper.make_tensor("places", TensorProto.INT64, [1], np.array([0]))
    graph = helper.make_graph(
        [helper.make_node("RoiAlign", ["x", "regions", "places"], ["maps"], output_height=2, output_width=2)],
        "regions",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 16, 16])],
        [helper.make_tensor_value_info("maps", TensorProto.FLOAT, None)],
        [regions, places],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")

    module = convert(tmp_path / "net.onnx")

    assert "OnnxRoiAlign" in {type(part).__name__ for part in module.modules()}


def test_the_output_that_is_asked_for_answers(child):
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["other"], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["x"], ["rows"], axes=[2, 3], keepdims=0),
    ]
    write_graph(child, nodes=nodes, output="other")
    path = child.package / "net.onnx"
    model = onnx.load(path)
    model.graph.output.append(helper.make_tensor_value_info("rows", TensorProto.FLOAT, None))
    onnx.save(model, path)

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx", options={ANSWER: "rows"})

    np.testing.assert_allclose(ended.rows, means(child.pixels) / 255, rtol=1e-5)


def test_functions_are_inlined_before_they_run_with_weights_beside_them(child):
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Twice", ["means", "w"], ["rows"], domain="own"),
    ]
    write_graph(child, nodes=nodes)
    path = child.package / "net.onnx"
    model = onnx.load(path)
    opset = helper.make_opsetid("", OPSET)
    product = helper.make_node("MatMul", ["a", "b"], ["c"])
    model.functions.append(helper.make_function("own", "Twice", ["a", "b"], ["c"], [product], [opset]))
    model.opset_import.add(domain="own", version=1)
    model.graph.initializer.append(numpy_helper.from_array(2 * np.eye(3, dtype=np.float32), "w"))
    onnx.save(model, path, save_as_external_data=True, location="weights", size_threshold=0)

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx", options={INLINED: True})

    np.testing.assert_allclose(ended.rows, 2 * means(child.pixels) / 255, rtol=1e-5)
