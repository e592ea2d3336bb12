"""Weights that an ONNX graph stores as floats or bytes, wherever they stand in it."""

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, SparseTensorProto, helper, numpy_helper

from scoring.sandboxed.counters.graph_parameters import count_graph_parameters


def graph(*nodes: NodeProto, **weights: np.ndarray) -> GraphProto:
    stored = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    return helper.make_graph(nodes, "g", [], [], initializer=stored)


def constant(value: np.ndarray) -> NodeProto:
    return helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(value))


@pytest.mark.parametrize(
    ("dtype", "counted"), [(np.float32, 6), (np.float16, 6), (np.int8, 6), (np.int64, 0), (np.bool_, 0)]
)
def test_floats_and_bytes_are_weights(dtype: type, counted: int) -> None:
    assert count_graph_parameters(graph(w=np.zeros((2, 3), dtype))) == counted


def test_a_constant_is_a_weight() -> None:
    assert count_graph_parameters(graph(constant(np.zeros((2, 3), np.float32)))) == 6


def test_a_sparse_weight_counts_its_values() -> None:
    model = graph()
    model.sparse_initializer.append(
        SparseTensorProto(dims=[9], values=numpy_helper.from_array(np.zeros(4, np.float32)))
    )
    listed = helper.make_node("Constant", [], ["s"], sparse_value=model.sparse_initializer[0])

    assert count_graph_parameters(model) == 4
    assert count_graph_parameters(graph(listed)) == 4


def test_a_weight_in_a_branch_counts() -> None:
    branch = graph(constant(np.zeros(5, np.float32)))

    assert count_graph_parameters(graph(helper.make_node("If", ["c"], ["y"], then_branch=branch))) == 5
