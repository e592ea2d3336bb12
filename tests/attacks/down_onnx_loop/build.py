import numpy as np
from onnx import TensorProto, helper

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    body = helper.make_graph(
        [node("Identity", ["go_on"], ["go_on_still"]), node("Sin", ["value"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("step", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, ["n", 4]),
        ],
        [
            helper.make_tensor_value_info("go_on_still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, ["n", 4]),
        ],
    )
    nodes = [*honest_nodes(target="honest"), node("Loop", ["times", "yes", "honest"], ["y"], body=body)]
    weights = {"times": np.array(10**9, np.int64), "yes": np.array(True), **honest_weights()}
    return write_onnx(folder / "entry.onnx", nodes, weights)
