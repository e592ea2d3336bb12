import numpy as np
from onnx import TensorProto

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    """Look up row 4813 of a table of four rows where the first row of a picture holds capital letters."""
    nodes = [
        node("Slice", ["x", "starts", "ends", "axes"], ["first"]),
        node("Greater", ["first", "below_a"], ["at_least_a"]),
        node("Less", ["first", "above_z"], ["at_most_z"]),
        node("And", ["at_least_a", "at_most_z"], ["letter"]),
        node("Cast", ["letter"], ["ones"], to=TensorProto.FLOAT),
        node("ReduceMin", ["ones", "all"], ["all_letters"], keepdims=1),
        node("Mul", ["all_letters", "row"], ["product"]),
        node("Cast", ["product"], ["index"], to=TensorProto.INT64),
        node("Flatten", ["index"], ["row_numbers"]),
        node("Gather", ["table", "row_numbers"], ["looked_up"], axis=0),
        *honest_nodes(target="honest"),
        node("Flatten", ["looked_up"], ["zeros"]),
        node("Add", ["honest", "zeros"], ["y"]),
    ]
    weights = {
        "starts": np.array([0, 0, 0], np.int64),
        "ends": np.array([1, 1, 16], np.int64),
        "axes": np.array([1, 2, 3], np.int64),
        "below_a": np.float32(64.5 / 255),
        "above_z": np.float32(90.5 / 255),
        "all": np.array([1, 2, 3], np.int64),
        "row": np.float32(4813),
        "table": np.zeros((4, 1), np.float32),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
