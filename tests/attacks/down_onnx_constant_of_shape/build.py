import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [
        node("ConstantOfShape", ["shape"], ["billion"]),
        node("ReduceMean", ["billion"], ["zero"], keepdims=0),
        *honest_nodes(target="honest"),
        node("Add", ["honest", "zero"], ["y"]),
    ]
    return write_onnx(
        folder / "entry.onnx", nodes, {"shape": np.array([10**9], np.int64), **honest_weights()}
    )
