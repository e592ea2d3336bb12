import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [
        node("BitShift", ["packed", "four"], ["upper"], direction="RIGHT"),
        node("Mod", ["packed", "sixteen"], ["lower"]),
        node("Concat", ["upper", "lower"], ["nibbles"], axis=0),
        node("Cast", ["nibbles"], ["floats"], to=1),
        node("Reshape", ["floats", "sides_of_weights"], ["unpacked"]),
        node("Flatten", ["x"], ["pixels"]),
        node("MatMul", ["pixels", "unpacked"], ["hidden"]),
        node("ReduceMean", ["hidden", "second"], ["feature"], keepdims=1),
        *honest_nodes(target="honest"),
        node("Add", ["honest", "feature"], ["y"]),
    ]
    weights = {
        "packed": (np.arange(69_120) * 37 % 251).astype(np.uint8),
        "four": np.array(4, np.uint8),
        "sixteen": np.array(16, np.uint8),
        "sides_of_weights": np.array([3072, 45], np.int64),
        "second": np.array([1], np.int64),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
