import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [
        node("Cast", ["packed"], ["floats"], to=1),
        node("Reshape", ["floats", "sides_of_weights"], ["unpacked"]),
        node("Flatten", ["x"], ["pixels"]),
        node("MatMul", ["pixels", "unpacked"], ["hidden"]),
        node("ReduceMean", ["hidden", "second"], ["feature"], keepdims=1),
        *honest_nodes(target="honest"),
        node("Add", ["honest", "feature"], ["y"]),
    ]
    weights = {
        "packed": np.array([f"0.{number * 37 % 997:03}" for number in range(3072 * 120)], dtype=object),
        "sides_of_weights": np.array([3072, 120], np.int64),
        "second": np.array([1], np.int64),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
