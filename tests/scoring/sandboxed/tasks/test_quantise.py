"""Quantising in the real child: what comes out, that it is the same again, and what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from scoring.contracts import EXACT_ARITHMETIC, PRECISION, SENSITIVE_PERCENT, Dtype, Format, Task
from tests.scoring.sandboxed.conftest import WIDTH, Child, Finished

pytestmark = pytest.mark.slow
node = helper.make_node
RNG = np.random.default_rng(3)
WEIGHTS = {
    # Channels of very unequal size: with one scale for all of them the small ones would be lost.
    "k": RNG.normal(size=(8, 3, 3, 3)).astype(np.float32) * np.logspace(-3, 0, 8).reshape(8, 1, 1, 1),
    "w": RNG.normal(size=(8, WIDTH)).astype(np.float32),
}
NET = [
    node("Conv", ["x", "k"], ["c"], pads=[1, 1, 1, 1]),
    node("Relu", ["c"], ["r"]),
    node("GlobalAveragePool", ["r"], ["p"]),
    node("Flatten", ["p"], ["f"]),
    node("MatMul", ["f", "w"], ["y"]),
]


def write(
    child: Child,
    nodes: Sequence[NodeProto] = NET,
    *,
    batch: int | str = "n",
    input_type: int = TensorProto.FLOAT,
    opset: int = 17,
    **save: Any,
) -> onnx.ModelProto:
    """Save the graph as net.onnx of the package."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", input_type, [batch, 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, WIDTH])],
        initializer=[
            numpy_helper.from_array(value.astype(np.float32), name) for name, value in WEIGHTS.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, child.package / "net.onnx", **save)
    return model


def quantise(child: Child, **request: Any) -> Finished:
    return child.run(Task.QUANTISE, Format.ONNX, main="net.onnx", **request)


def answers(content: bytes, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": images})[0]


def factors(content: bytes) -> Counter[tuple[str, str]]:
    """Count which operator makes each factor of the operators that multiply."""
    graph = onnx.load_from_string(content).graph
    makers = {name: each.op_type for each in graph.node for name in each.output}
    return Counter(
        (each.op_type, makers.get(name, "nothing"))
        for each in graph.node
        if each.op_type in {"Conv", "MatMul"}
        for name in each.input[:2]
    )


def test_every_product_is_of_8_bit_factors_and_the_answers_are_near(child: Child) -> None:
    model = write(child)
    images = child.pixels.astype(np.float32) / 255

    ended = quantise(child)

    expected, found = answers(model.SerializeToString(), images), answers(ended.outputs, images)
    assert (ended.exit_code, ended.reply) == (0, {"outcome": "ok"})
    assert factors(ended.outputs) == {("Conv", "DequantizeLinear"): 2, ("MatMul", "DequantizeLinear"): 2}
    assert 0 < np.abs(found - expected).max() < 0.05 * np.abs(expected).max()


def test_weights_are_signed_bytes_with_a_scale_for_each_channel(child: Child) -> None:
    write(child)

    weights = {
        tensor.name: tensor for tensor in onnx.load_from_string(quantise(child).outputs).graph.initializer
    }

    (kernel,) = (tensor for tensor in weights.values() if list(tensor.dims) == [8, 3, 3, 3])
    scales = numpy_helper.to_array(weights[kernel.name.replace("_quantized", "_scale")])
    largest = np.abs(WEIGHTS["k"]).reshape(8, -1).max(axis=1)
    assert kernel.data_type == TensorProto.INT8
    np.testing.assert_allclose(scales, largest / 127, rtol=1e-2)


def types_of_factors(content: bytes) -> dict[str, list[int]]:
    """Return, for each operator that multiplies, the types that its factors are rounded to."""
    graph = onnx.load_from_string(content).graph
    stored = {tensor.name: tensor.data_type for tensor in graph.initializer}
    makers = {name: each for each in graph.node for name in each.output}
    return {
        each.op_type: [stored[makers[name].input[2]] for name in each.input[:2]]
        for each in graph.node
        if each.op_type in {"Conv", "MatMul"}
    }


def test_w8a16_keeps_weights_in_8_bits_and_gives_activations_16(child: Child) -> None:
    model = write(child)
    images = child.pixels.astype(np.float32) / 255
    expected = answers(model.SerializeToString(), images)

    coarse = quantise(child)
    fine = quantise(child, options={PRECISION: "w8a16"})

    rounded = [TensorProto.UINT16, TensorProto.INT8]
    assert types_of_factors(fine.outputs) == {"Conv": rounded, "MatMul": rounded}
    error, before = (np.abs(answers(each.outputs, images) - expected).max() for each in (fine, coarse))
    assert error < before


@pytest.mark.parametrize(("percent", "wide"), [(0.0, 1), (50.0, 1), (100.0, 2)])
def test_a_mixed_precision_gives_16_bits_to_the_most_sensitive_layers(
    child: Child, percent: float, wide: int
) -> None:
    write(child)
    options = {PRECISION: "w8a8_mixed_int16", SENSITIVE_PERCENT: percent}

    found = types_of_factors(quantise(child, options=options).outputs)

    assert sum(weights == TensorProto.INT16 for _, weights in found.values()) == wide


def test_it_is_the_same_to_the_last_byte_again(child: Child) -> None:
    write(child)

    assert quantise(child).outputs == quantise(child).outputs


def test_the_batch_size_of_the_track_changes_nothing(child: Child) -> None:
    write(child)

    assert quantise(child, batch_size=1).outputs == quantise(child, batch_size=5).outputs


def test_a_range_is_that_of_all_samples(child: Child) -> None:
    """One bright sample among dark ones: the input's scale is that of 0 to 1 in 255 steps."""
    write(child)
    child.pixels[:] = 1
    child.pixels[4, 0, 0, 0] = 255

    graph = onnx.load_from_string(quantise(child).outputs).graph

    first = next(each for each in graph.node if each.op_type == "QuantizeLinear" and each.input[0] == "x")
    (scale,) = (tensor for tensor in graph.initializer if tensor.name == first.input[1])
    assert numpy_helper.to_array(scale) == pytest.approx(1 / 255)


def test_a_fixed_batch_that_the_samples_do_not_fill_is_filled_up(child: Child) -> None:
    write(child, batch=4)

    assert quantise(child).reply == {"outcome": "ok"}


def test_a_graph_that_takes_bytes_is_given_bytes(child: Child) -> None:
    cast = node("Cast", ["x"], ["xf"], to=TensorProto.FLOAT)
    conv = node("Conv", ["xf", "k"], ["c"], pads=[1, 1, 1, 1])
    write(child, [cast, conv, *NET[1:]], input_type=TensorProto.UINT8)

    ended = quantise(child, dtype=Dtype.UINT8, high=255.0)

    assert ended.reply == {"outcome": "ok"}


def test_weights_beside_the_graph_come_into_it(child: Child) -> None:
    write(child, save_as_external_data=True, location="weights.bin", size_threshold=0)

    ended = quantise(child)

    stored = {tensor.data_location for tensor in onnx.load_from_string(ended.outputs).graph.initializer}
    assert stored == {TensorProto.DEFAULT}


@pytest.mark.parametrize("opset", [7, 10, 11, 13, 18, 21])
def test_operators_of_any_age_are_quantised(child: Child, opset: int) -> None:
    write(child, opset=opset)

    ended = quantise(child)

    assert ended.reply == {"outcome": "ok"}
    assert set(factors(ended.outputs)) == {("Conv", "DequantizeLinear"), ("MatMul", "DequantizeLinear")}


def test_a_graph_of_what_is_never_quantised_comes_out_as_it_is(child: Child) -> None:
    nodes = [
        node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
        node("Sin", ["m"], ["y"]),
    ]
    model = write(child, nodes)
    images = child.pixels.astype(np.float32) / 255

    ended = quantise(child)

    np.testing.assert_allclose(
        answers(ended.outputs, images), answers(model.SerializeToString(), images), atol=1e-6
    )


def test_a_graph_that_cannot_run_is_refused_without_its_words(child: Child) -> None:
    reshape = node("Reshape", ["x", "t"], ["y"])
    write(child, [node("Constant", [], ["t"], value_ints=[7, 3]), reshape])

    ended = quantise(child)

    assert (ended.exit_code, ended.reply["outcome"], ended.outputs) == (1, "quantisation_failed", b"")
    assert ended.reply["facts"]["why"].isidentifier()


def test_sums_are_exact_where_that_is_asked_for(child: Child) -> None:
    """All weights 127 and all pixels 255: pairs of their products do not fit into 16 bits."""
    (child.package / "net.onnx").write_bytes(saturating(pixels=3 * 16 * 16))
    child.pixels[:] = 255

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx", options={EXACT_ARITHMETIC: True})

    assert (ended.rows == 255 * 127 * 3 * 16 * 16).all()


def saturating(*, pixels: int) -> bytes:
    """Return a product of unsigned and signed bytes in the form that integer kernels are made for."""
    tensors = {
        "one": np.float32(1),
        "zero": np.uint8(0),
        "bright": np.float32(255),
        "t": np.array([-1, pixels], np.int64),
        "w": np.full((pixels, WIDTH), 127, np.int8),
    }
    nodes = [
        node("Cast", ["x"], ["xf"], to=TensorProto.FLOAT),
        node("Mul", ["xf", "bright"], ["xb"]),
        node("Reshape", ["xb", "t"], ["f"]),
        node("QuantizeLinear", ["f", "one", "zero"], ["q"]),
        node("DequantizeLinear", ["q", "one", "zero"], ["d"]),
        node("DequantizeLinear", ["w", "one"], ["wd"]),
        node("MatMul", ["d", "wd"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", WIDTH])],
        initializer=[numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()
