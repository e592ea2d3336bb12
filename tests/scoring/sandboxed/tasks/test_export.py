"""Exporting to ONNX in the real child: what comes out, and one test for each way it cannot be done."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from scoring.contracts import Dtype, Format, OutputKind, Task
from tests.scoring.sandboxed.conftest import Child, Finished

Write = Callable[..., Child]
pytestmark = pytest.mark.slow


def test_the_graph_answers_like_the_model_for_any_batch(model: Write) -> None:
    ended = model("self.head(x.mean((2, 3)))", init="self.head = torch.nn.Linear(3, 3)").run(Task.EXPORT)

    session = onnxruntime.InferenceSession(ended.outputs, providers=["CPUExecutionProvider"])
    weights = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load_from_string(ended.outputs).graph.initializer
    }
    weight, bias = weights["model.head.weight"], weights["model.head.bias"]
    batch, *sides = session.get_inputs()[0].shape
    images = np.random.default_rng(1).random((7, 3, 16, 16), np.float32)
    (found,) = session.run(None, {"input": images})
    assert (type(batch), sides) == (str, [3, 16, 16])
    np.testing.assert_allclose(found, images.mean((2, 3)) @ weight.T + bias, atol=1e-5)
    assert ended.reply["outcome"] == "ok"
    assert ended.reply["largest_difference"] <= 1e-5


def test_bytes_stay_bytes_and_no_path_of_the_entrant_is_kept(model: Write) -> None:
    ended = model("x.float().mean((2, 3))").run(Task.EXPORT, dtype=Dtype.UINT8, high=255.0)

    session = onnxruntime.InferenceSession(ended.outputs, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].type == "tensor(uint8)"
    assert b"model.py" not in ended.outputs


@pytest.mark.parametrize(
    "forward",
    [
        "x.mean((2, 3)) if x.sum() > 1 else -x.mean((2, 3))",
        "x.view(5, 3, -1).mean(2)",
        "x.mean((2, 3)) + torch.rand(3)",
        "x.mean((2, 3)) * x.shape[0]",
        "torch.cat([x[i : i + 1].mean((2, 3)) for i in range(x.shape[0])])",
    ],
    ids=["branch_on_values", "fixed_batch", "random", "depends_on_the_batch", "loops_over_the_batch"],
)
def test_a_model_that_no_graph_can_follow_is_refused(model: Write, forward: str) -> None:
    ended = model(forward).run(Task.EXPORT)

    assert (ended.exit_code, ended.reply["outcome"]) == (1, "export_failed")
    assert ended.reply["facts"]["why"]
    assert ended.outputs == b""


def test_an_operator_without_onnx_form_is_named(model: Write) -> None:
    ended = model("x.flatten(2).median(dim=2).values").run(Task.EXPORT)

    assert ended.reply["outcome"] == "export_failed"
    assert ended.reply["facts"]["why"] == "the torch operator aten.median has no ONNX equivalent"


QAIHUB = """
import torch
from qai_hub_models.utils.base_model import BaseModel


class Net(BaseModel):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3, 3)

    @classmethod
    def from_pretrained(cls):
        return cls()

    def forward(self, image):
        return {forward}

    @staticmethod
    def get_input_spec():
        return {{"image": ((1, 3, 16, 16), "float32")}}

    @staticmethod
    def get_output_names():
        return ["logits"]
"""


@pytest.mark.parametrize(
    ("forward", "batch"),
    [("self.head(image.mean((2, 3)))", str), ("self.head(image.view(1, 3, -1).mean(2))", int)],
    ids=["any_batch", "batch_of_one"],
)
def test_a_model_that_is_given_one_sample_at_a_time_may_be_written_for_that(
    child: Child, forward: str, batch: type
) -> None:
    child.write("model.py", QAIHUB.format(forward=forward))

    ended = child.run(Task.EXPORT, Format.QAIHUB, options={"model_id": "net"})

    session = onnxruntime.InferenceSession(ended.outputs, providers=["CPUExecutionProvider"])
    assert ended.reply["outcome"] == "ok"
    assert isinstance(session.get_inputs()[0].shape[0], batch)


class Branch(nn.Module):
    """Answer bright pictures with their means, dark ones with ten times that."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool(x.mean() > 0.5):
            return x.mean((2, 3))
        return 10 * x.mean((2, 3))


class TwoColumns(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))[:, :2]


def of_script(ended: Finished, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(ended.outputs, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": images})
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("value", "times"), [(0.9, 1), (0.1, 10)], ids=["bright", "dark"])
def test_a_script_keeps_both_ways_of_its_branch(child: Child, value: float, times: int) -> None:
    torch.jit.script(Branch()).save(child.package / "model.pt")
    images = np.full((1, 3, 16, 16), value, np.float32)
    # Bright ones only: what is compared takes one way, whether in a batch or alone.
    child.pixels |= 128

    ended = child.run(Task.EXPORT, Format.BYOM, main="model.pt", options={"batch": 1})

    np.testing.assert_allclose(of_script(ended, images), np.full((1, 3), times * value), rtol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_the_format_makes_of_an_answer_is_part_of_the_graph(child: Child) -> None:
    torch.jit.script(TwoColumns()).save(child.package / "model.pt")
    options = {"batch": 1, "columns": 2}
    images = np.random.default_rng(1).random((7, 3, 16, 16), np.float32)

    ended = child.run(
        Task.EXPORT, Format.BYOM, main="model.pt", width=1, kind=OutputKind.CONFIDENCE, options=options
    )

    # The softmax of two numbers is the sigmoid of their difference.
    means = images.mean((2, 3), dtype=np.float64)
    np.testing.assert_allclose(
        of_script(ended, images), 1 / (1 + np.exp(means[:, :1] - means[:, 1:2])), rtol=1e-5
    )


def test_a_model_with_another_output_is_refused_as_in_a_check(model: Write) -> None:
    ended = model("x.mean((2, 3))").run(Task.EXPORT, width=4)

    assert ended.reply["outcome"] == "wrong_output_shape"


def test_a_model_that_crashes_is_told_so(model: Write) -> None:
    ended = model("x.nowhere()").run(Task.EXPORT)

    assert ended.reply["outcome"] == "crashed"
    assert ended.reply["facts"]["why"] == "AttributeError: 'Tensor' object has no attribute 'nowhere'"


def test_an_onnx_package_holds_no_module_to_export(child: Child) -> None:
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)],
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3, 16, 16])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3])],
    )
    graph_model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.save(graph_model, child.package / "net.onnx")

    ended = child.run(Task.EXPORT, Format.ONNX, main="net.onnx")

    assert ended.reply["outcome"] == "export_failed"
