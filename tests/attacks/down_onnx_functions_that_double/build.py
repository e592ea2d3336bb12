import onnx
from onnx import helper

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx

STEPS = 60


def build(folder, around):
    nodes = [node(f"F{STEPS}", ["x"], ["worked"], domain="owned"), *honest_nodes("worked")]
    path = write_onnx(folder / "entry.onnx", nodes, honest_weights())
    model = onnx.load(path)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("owned", 1)]
    model.opset_import.append(opsets[1])
    for step in range(STEPS + 1):
        called, domain = (f"F{step - 1}", "owned") if step else ("Relu", "")
        body = [node(called, ["a"], ["b"], domain=domain), node(called, ["b"], ["c"], domain=domain)]
        model.functions.append(helper.make_function("owned", f"F{step}", ["a"], ["c"], body, opsets))
    onnx.save(model, path)
    return path
