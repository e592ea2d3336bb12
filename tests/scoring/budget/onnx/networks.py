"""Small ONNX models for the tests of the static counter: `x` is (n, 3, 8, 8), `y` the last output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from scoring.budget.onnx.counter import ModelCounts, count_model

SHAPE = (3, 8, 8)
Weights = dict[str, np.ndarray]
node = helper.make_node
floats = helper.make_tensor_value_info


def zeros(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return np.zeros(shape, dtype)


def network(
    nodes: Sequence[NodeProto], weights: Weights | None = None, *, batch: int | str = "n", opset: int = 23
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [floats("x", TensorProto.FLOAT, [batch, *SHAPE])],
        [floats("y", TensorProto.FLOAT, None)],
        initializer=[numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def counted(
    nodes: Sequence[NodeProto],
    weights: Weights | None = None,
    *,
    batches: Sequence[int] = (1,),
    batch: int | str = "n",
    opset: int = 23,
    max_value_bytes: int | None = None,
) -> ModelCounts:
    return count_model(network(nodes, weights, batch=batch, opset=opset), SHAPE, batches, max_value_bytes)
