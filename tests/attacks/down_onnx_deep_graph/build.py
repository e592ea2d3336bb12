import numpy as np
from onnx import TensorProto, helper

from tests.attacks.making import node, write_onnx


def build(folder, around):
    """Nest branches deeper than a reader of the format allows."""
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 4])
    inner = helper.make_graph([node("Identity", ["zero"], ["out"])], "innermost", [], [output])
    for level in range(60):
        branch = node(
            "If", ["yes"], ["out"], then_branch=inner, else_branch=inner if level < 2 else leaf(output)
        )
        inner = helper.make_graph([branch], f"level{level}", [], [output])
    nodes = [node("If", ["yes"], ["y"], then_branch=inner, else_branch=leaf(output))]
    return write_onnx(
        folder / "entry.onnx", nodes, {"yes": np.array(True), "zero": np.zeros((1, 4), np.float32)}
    )


def leaf(output):
    return helper.make_graph([node("Identity", ["zero"], ["out"])], "leaf", [], [output])
