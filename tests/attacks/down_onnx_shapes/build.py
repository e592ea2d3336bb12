import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [
        *honest_nodes(target="honest"),
        node("Expand", ["honest", "shape"], ["wide"]),
        node("Range", ["start", "end", "step"], ["numbers"]),
        node("ReduceSum", ["wide"], ["sum"], keepdims=0),
        node("Cast", ["numbers"], ["floats"], to=1),
        node("ReduceSum", ["floats"], ["sum2"], keepdims=0),
        node("Add", ["honest", "sum"], ["first"]),
        node("Add", ["first", "sum2"], ["y"]),
    ]
    weights = {
        "shape": np.array([2**20, 2**20, 2**20, 1, 4], np.int64),
        "start": np.array(0, np.int64),
        "end": np.array(2**62, np.int64),
        "step": np.array(1, np.int64),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
