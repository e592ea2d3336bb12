import numpy as np
import onnx

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx


def build(folder, around):
    nodes = [*honest_nodes(target="honest"), node("Evil", ["honest"], ["y"], domain="ai.owned")]
    path = write_onnx(folder / "entry.onnx", nodes, honest_weights())
    model = onnx.load(path)
    model.opset_import.append(onnx.helper.make_opsetid("ai.owned", 1))
    model.metadata_props.add(key="custom_ops_library", value=str(around.host / "evil.so"))
    onnx.save(model, path)
    return path
