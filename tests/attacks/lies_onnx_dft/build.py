import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [node("Unsqueeze", ["x", "last"], ["c0"])]
    for step in range(400):
        nodes += [
            node("DFT", [f"c{step}"], [f"f{step}"], axis=2, inverse=step % 2),
            node("Slice", [f"f{step}", "zero", "one", "last"], [f"c{step + 1}"]),
        ]
    nodes += [node("Squeeze", ["c400", "last"], ["worked"]), *honest_nodes("worked")]
    weights = {
        "last": np.array([4], np.int64),
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
    }
    return write_onnx(folder / "entry.onnx", nodes, {**weights, **honest_weights()})
