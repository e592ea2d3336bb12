import numpy as np
from onnx import TensorProto, helper

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    sides = ["n", 3, 32, 32]
    body = helper.make_graph(
        [node("Identity", ["go_on"], ["go_on_still"]), node("MatMul", ["value", "square"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, sides),
        ],
        [
            helper.make_tensor_value_info("go_on_still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, sides),
        ],
    )
    nodes = [node("Loop", ["times", "yes", "x"], ["worked"], body=body), *honest_nodes("worked")]
    weights = {
        "times": np.array(20, np.int64),
        "yes": np.array(True),
        "square": np.eye(32, dtype=np.float32),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
