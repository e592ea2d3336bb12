import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [
        node("BitShift", ["packed", "shifts"], ["shifted"], direction="RIGHT"),
        node("Mod", ["shifted", "byte"], ["bytes"]),
        node("Cast", ["bytes"], ["floats"], to=1),
        node("Reshape", ["floats", "sides_of_weights"], ["unpacked"]),
        node("Flatten", ["x"], ["pixels"]),
        node("MatMul", ["pixels", "unpacked"], ["hidden"]),
        node("ReduceMean", ["hidden", "second"], ["feature"], keepdims=1),
        *honest_nodes(target="honest"),
        node("Add", ["honest", "feature"], ["y"]),
    ]
    weights = {
        "packed": np.arange(69_120, dtype=np.uint64)[:, None] * np.uint64(0x0102030405060708),
        "shifts": np.arange(0, 64, 8, dtype=np.uint64)[None],
        "byte": np.array(256, np.uint64),
        "sides_of_weights": np.array([3072, 180], np.int64),
        "second": np.array([1], np.int64),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
