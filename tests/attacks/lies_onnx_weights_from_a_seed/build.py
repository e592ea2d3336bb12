import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [
        node("RandomNormal", [], ["unpacked"], shape=[3072, 120], seed=7.0),
        node("Flatten", ["x"], ["pixels"]),
        node("MatMul", ["pixels", "unpacked"], ["hidden"]),
        node("ReduceMean", ["hidden", "second"], ["feature"], keepdims=1),
        *honest_nodes(target="honest"),
        node("Add", ["honest", "feature"], ["y"]),
    ]
    weights = {
        "second": np.array([1], np.int64),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
