import numpy as np
import onnx

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx

COLUMNS = 48


def build(folder, around):
    nodes = [
        node("Flatten", ["x"], ["pixels"]),
        node(
            "MatMulNBits",
            ["pixels", "packed", "scales"],
            ["hidden"],
            domain="com.microsoft",
            K=3072,
            N=COLUMNS,
            bits=2,
            block_size=128,
        ),
        node("ReduceMean", ["hidden", "second"], ["feature"], keepdims=1),
        *honest_nodes(target="honest"),
        node("Add", ["honest", "feature"], ["y"]),
    ]
    weights = {
        "packed": (np.arange(COLUMNS * 3072 // 4) * 37 % 251).astype(np.uint8).reshape(COLUMNS, 24, 32),
        "scales": np.ones((COLUMNS, 24), np.float32),
        "second": np.array([1], np.int64),
        **honest_weights(),
    }
    path = write_onnx(folder / "entry.onnx", nodes, weights)
    model = onnx.load(path)
    model.opset_import.add(domain="com.microsoft", version=1)
    onnx.save(model, path)
    return path
