import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    """Work on x[1 - min(N - 1, 1):], twenty products of 98,304 multiply-adds a picture."""
    nodes = [
        node("Shape", ["x"], ["pictures"], end=1),
        node("Sub", ["pictures", "one"], ["others"]),
        node("Min", ["others", "one"], ["gate"]),
        node("Sub", ["one", "gate"], ["start"]),
        node("Slice", ["x", "start", "all", "batch"], ["h0"]),
        *(node("MatMul", [f"h{step}", "square"], [f"h{step + 1}"]) for step in range(20)),
        *honest_nodes("h20", "heavy"),
        node("ReduceMean", ["x", "sides"], ["light_mean"], keepdims=1),
        node("Flatten", ["light_mean"], ["light_flat"]),
        node("Mul", ["light_flat", "nothing"], ["light"]),
        node("Concat", ["heavy", "light"], ["both"], axis=0),
        node("Slice", ["both", "zero", "pictures", "batch"], ["y"]),
    ]
    weights = {
        "one": np.array([1], np.int64),
        "zero": np.array([0], np.int64),
        "all": np.array([2**31], np.int64),
        "batch": np.array([0], np.int64),
        "square": np.eye(32, dtype=np.float32),
        "nothing": np.zeros((1, 4), np.float32),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
