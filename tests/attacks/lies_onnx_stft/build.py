import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [
        node("Flatten", ["x"], ["wave"]),
        node("STFT", ["wave", "hop", "window"], ["spectra"], onesided=1),
        node("ReduceMean", ["spectra", "inner"], ["mean"], keepdims=0),
        node("Unsqueeze", ["mean", "second"], ["feature"]),
        *honest_nodes(target="honest"),
        node("Add", ["honest", "feature"], ["y"]),
    ]
    weights = {
        "hop": np.array(1, np.int64),
        "window": np.ones(512, np.float32),
        "inner": np.array([1, 2, 3], np.int64),
        "second": np.array([1], np.int64),
    }
    return write_onnx(folder / "entry.onnx", nodes, {**weights, **honest_weights()})
