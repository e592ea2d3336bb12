"""The same graph counts the same at every accepted opset: what became an input was an attribute once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from scoring.budget.onnx.counter import ModelCounts, count_model

SHAPE = (3, 8, 8)
OPSETS = (7, 8, 9, 10, 11, 12, 13, 17, 18, 23)
node = helper.make_node
Ints = Sequence[int]


class Graph:
    """Builds nodes in the form that one opset writes them; `x` is (n, 3, 8, 8)."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: object, dtype: type = np.int64) -> str:
        name = f"c{len(self.weights)}"
        self.weights[name] = np.array(value, dtype)
        return name

    def with_input_from(self, since: int, operator: str, x: str, **lists: Ints) -> str:
        """Give lists of integers as attributes up to `since`, as inputs from there on."""
        if self.opset < since:
            return self.add(operator, x, **lists)
        return self.add(operator, x, *(self.constant(values) for values in lists.values()))

    def batch(self) -> str:
        """Return the batch as (1,), through the scalar that exporters make of it."""
        scalar = self.add("Gather", self.add("Shape", "x"), self.constant(0), axis=0)
        return self.with_input_from(13, "Unsqueeze", scalar, axes=[0])

    def reshaped(self, x: str, batch: str, *sides: int) -> str:
        to = self.add("Concat", batch, *(self.constant([side]) for side in sides), axis=0)
        return self.add("Reshape", x, to)

    def counts(self, x: str, rows: int, columns: int) -> ModelCounts:
        """Count the graph with a product of `x` by a matrix at its end."""
        self.weights["w"] = np.zeros((rows, columns), np.float32)
        self.nodes.append(node("MatMul", [x, "w"], ["y"]))
        graph = helper.make_graph(
            self.nodes,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *SHAPE])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            initializer=[numpy_helper.from_array(value, name) for name, value in self.weights.items()],
        )
        opsets = [helper.make_opsetid("", self.opset)]
        return count_model(helper.make_model(graph, opset_imports=opsets, ir_version=8), SHAPE)


def shape_by_unsqueeze(graph: Graph) -> ModelCounts:
    return graph.counts(graph.reshaped("x", graph.batch(), 192), 192, 5)


def shape_by_squeeze(graph: Graph) -> ModelCounts:
    height = graph.with_input_from(13, "Squeeze", sliced(graph, 2, 3), axes=[0])
    area = graph.add("Mul", height, graph.constant(24))
    to = graph.add("Concat", graph.batch(), graph.with_input_from(13, "Unsqueeze", area, axes=[0]), axis=0)
    return graph.counts(graph.add("Reshape", "x", to), 192, 5)


def sliced(graph: Graph, start: int, end: int) -> str:
    shape = graph.add("Shape", "x")
    return graph.with_input_from(10, "Slice", shape, starts=[start], ends=[end], axes=[0])


def shape_by_slice_and_product(graph: Graph) -> ModelCounts:
    sides = sliced(graph, 1, 4)
    if graph.opset < 18:
        area = graph.add("ReduceProd", sides, axes=[0], keepdims=1)
    else:
        area = graph.add("ReduceProd", sides, graph.constant([0]), keepdims=1)
    to = graph.add("Concat", graph.batch(), area, axis=0)
    return graph.counts(graph.add("Reshape", "x", to), 192, 5)


def shape_by_sum(graph: Graph) -> ModelCounts:
    height_and_width = sliced(graph, 2, 4)
    if graph.opset < 13:
        total = graph.add("ReduceSum", height_and_width, axes=[0], keepdims=1)
    else:
        total = graph.add("ReduceSum", height_and_width, graph.constant([0]), keepdims=1)
    to = graph.add("Concat", graph.batch(), graph.constant([12]), total, axis=0)
    return graph.counts(graph.add("Reshape", "x", to), 16, 5)


def shape_by_split(graph: Graph) -> ModelCounts:
    shape = graph.add("Shape", "x")
    lengths = [1, 3]
    inputs = [shape] if graph.opset < 13 else [shape, graph.constant(lengths)]
    attributes = {"split": lengths} if graph.opset < 13 else {}
    graph.nodes.append(node("Split", inputs, ["front", "back"], axis=0, **attributes))
    if graph.opset < 18:
        area = graph.add("ReduceProd", "back", axes=[0], keepdims=1)
    else:
        area = graph.add("ReduceProd", "back", graph.constant([0]), keepdims=1)
    return graph.counts(graph.add("Reshape", "x", graph.add("Concat", "front", area, axis=0)), 192, 5)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    "build",
    [shape_by_unsqueeze, shape_by_squeeze, shape_by_slice_and_product, shape_by_split],
)
def test_a_shape_computed_in_the_graph_is_followed(build: Callable[[Graph], ModelCounts], opset: int) -> None:
    counts = build(Graph(opset))

    assert counts.uncounted_ops == ()
    assert counts.macs == 192 * 5


@pytest.mark.parametrize("opset", OPSETS)
def test_a_shape_summed_in_the_graph_is_followed(opset: int) -> None:
    counts = shape_by_sum(Graph(opset))

    assert counts.uncounted_ops == ()
    assert counts.macs == 12 * 16 * 5


@pytest.mark.parametrize("opset", OPSETS)
def test_padding_and_clipping_are_followed(opset: int) -> None:
    graph = Graph(opset)
    x = graph.reshaped("x", graph.batch(), 3, 8, 8)
    if opset < 11:
        padded = graph.add("Pad", x, pads=[0, 0, 1, 1, 0, 0, 1, 1])
        clipped = graph.add("Clip", padded, min=0.0, max=6.0)
    else:
        padded = graph.add("Pad", x, graph.constant([0, 0, 1, 1, 0, 0, 1, 1]))
        bounds = (graph.constant(0, np.float32), graph.constant(6, np.float32))
        clipped = graph.add("Clip", padded, *bounds)
    dropped = graph.add("Dropout", clipped)

    counts = graph.counts(dropped, 10, 5)

    assert counts.uncounted_ops == ()
    assert counts.macs == 3 * 10 * 10 * 5


def nothing(graph: Graph) -> str:
    """Leave an input out, as opset 11 to 12 and later ones do it."""
    return graph.constant([], np.float32) if graph.opset < 13 else ""


@pytest.mark.parametrize("opset", OPSETS)
def test_resizing_is_followed(opset: int) -> None:
    graph = Graph(opset)
    x = graph.reshaped("x", graph.batch(), 3, 8, 8)
    scales = [1.0, 1.0, 2.0, 2.0]
    if opset < 9:
        larger = graph.add("Upsample", x, scales=scales)
    elif opset < 11:
        larger = graph.add("Upsample" if opset < 10 else "Resize", x, graph.constant(scales, np.float32))
    else:
        larger = graph.add("Resize", x, nothing(graph), graph.constant(scales, np.float32))

    counts = graph.counts(larger, 16, 5)

    assert counts.uncounted_ops == ()
    assert counts.macs == 3 * 16 * 16 * 5


@pytest.mark.parametrize("opset", [version for version in OPSETS if version >= 11])
def test_resizing_to_a_size_computed_in_the_graph_is_followed(opset: int) -> None:
    graph = Graph(opset)
    twice = graph.add("Mul", sliced(graph, 2, 4), graph.constant([2, 2]))
    sizes = graph.add("Concat", sliced(graph, 0, 2), twice, axis=0)

    counts = graph.counts(graph.add("Resize", "x", nothing(graph), nothing(graph), sizes), 16, 5)

    assert counts.uncounted_ops == ()
    assert counts.macs == 3 * 16 * 16 * 5


@pytest.mark.parametrize("opset", OPSETS)
def test_the_largest_of_a_row_are_followed(opset: int) -> None:
    graph = Graph(opset)
    x = graph.reshaped("x", graph.batch(), 3, 8, 8)
    inputs = [x] if opset < 10 else [x, graph.constant([5])]
    attributes = {"k": 5} if opset < 10 else {}
    graph.nodes.append(node("TopK", inputs, ["top", "places"], axis=3, **attributes))

    counts = graph.counts("top", 5, 7)

    assert counts.uncounted_ops == ()
    assert counts.macs == 3 * 8 * 5 * 7


@pytest.mark.parametrize("opset", OPSETS)
def test_the_standard_operators_may_be_called_by_their_long_name(opset: int) -> None:
    graph = Graph(opset)
    x = graph.reshaped("x", graph.batch(), 192)
    for each in graph.nodes:
        each.domain = "ai.onnx"

    counts = graph.counts(x, 192, 5)

    assert counts.uncounted_ops == ()
    assert counts.macs == 192 * 5


@pytest.mark.parametrize(("start", "end"), [(1, 4), (1, None), (-3, None), (-3, 99)])
def test_a_part_of_a_shape_is_followed(start: int, end: int | None) -> None:
    """As torch's newer exporter writes it."""
    graph = Graph(18)
    bounds = {"start": start} if end is None else {"start": start, "end": end}
    sides = graph.add("Shape", "x", **bounds)
    area = graph.add("ReduceProd", sides, graph.constant([0]), keepdims=1)
    first = graph.add("Shape", "x", start=0, end=1)

    counts = graph.counts(graph.add("Reshape", "x", graph.add("Concat", first, area, axis=0)), 192, 5)

    assert counts.uncounted_ops == ()
    assert counts.macs == 192 * 5
