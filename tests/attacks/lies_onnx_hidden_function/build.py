import numpy as np
import onnx
from onnx import helper

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [node("Products", ["x", "square"], ["worked"], domain="owned"), *honest_nodes("worked")]
    path = write_onnx(
        folder / "entry.onnx", nodes, {"square": np.eye(32, dtype=np.float32), **honest_weights()}
    )
    model = onnx.load(path)
    work = [node("MatMul", [f"h{step}", "w"], [f"h{step + 1}"]) for step in range(20)]
    opset = helper.make_opsetid("", 18)
    model.functions.append(helper.make_function("owned", "Products", ["h0", "w"], ["h20"], work, [opset]))
    model.opset_import.append(helper.make_opsetid("owned", 1))
    onnx.save(model, path)
    return path
