import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [
        node("ReduceMean", ["x", "batch"], ["middle"], keepdims=1),
        node("Sub", ["x", "middle"], ["off_middle"]),
        *honest_nodes("off_middle"),
    ]
    weights = {
        "batch": np.array([0, 1, 2, 3], np.int64),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
