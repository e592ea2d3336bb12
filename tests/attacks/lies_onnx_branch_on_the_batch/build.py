import numpy as np
from onnx import TensorProto, helper

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    """Do twenty products of 98,304 multiply-adds a picture, unless the picture is alone."""
    pictures = [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 3, 32, 32])]
    work = [node("MatMul", [f"h{step}" if step else "x", "square"], [f"h{step + 1}"]) for step in range(20)]
    light = helper.make_graph([node("Identity", ["x"], ["out"])], "light", [], pictures)
    heavy = helper.make_graph([*work, node("Identity", ["h20"], ["out"])], "heavy", [], pictures)
    nodes = [
        node("Shape", ["x"], ["shape"], end=1),
        node("Squeeze", ["shape"], ["pictures"]),
        node("Equal", ["pictures", "one"], ["alone"]),
        node("If", ["alone"], ["worked"], then_branch=light, else_branch=heavy),
        *honest_nodes("worked"),
    ]
    weights = {"one": np.array(1, np.int64), "square": np.eye(32, dtype=np.float32), **honest_weights()}
    return write_onnx(folder / "entry.onnx", nodes, weights)
