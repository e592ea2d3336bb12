"""Compiling in the real child: what the compiled model answers, and what is refused rather than frozen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from scoring.contracts import Format, Task
from tests.scoring.sandboxed.conftest import Child, Finished

Write = Callable[..., Child]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
BRIGHT = np.full((1, 3, 16, 16), 0.9, np.float32)
DARK = np.full((1, 3, 16, 16), 0.1, np.float32)


class Means(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


class Branch(nn.Module):
    """Answer bright pictures with their means, dark ones with ten times that."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool(x.mean() > 0.5):
            return x.mean((2, 3))
        return 10 * x.mean((2, 3))


class Loop(nn.Module):
    """Halve until every mean is below a tenth."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x.mean((2, 3))
        while bool(y.max() > 0.1):
            y = y * 0.5
        return y


class Named(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"out": x.mean((2, 3))}


class OneAtATime(nn.Module):
    """Hold a batch of one in a reshape: more samples than that are mixed up."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(1, -1)[:, :3] + x.mean()


class Noise(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) + torch.rand(3)


def compiled(child: Child, script: torch.jit.ScriptModule, *, batch: int = 1) -> Finished:
    script.save(child.package / "model.pt")
    return child.run(Task.COMPILE, Format.BYOM, main="model.pt", options={"batch": batch})


def traced(module: nn.Module, batch: int = 1) -> torch.jit.ScriptModule:
    return torch.jit.trace(module.eval(), torch.rand(batch, 3, 16, 16), check_trace=False, strict=False)


def answer(ended: Finished, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(ended.outputs, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": images})
    return found


def test_a_trace_is_compiled_for_any_batch(child: Child) -> None:
    ended = compiled(child, traced(Means()))

    images = np.random.default_rng(1).random((7, 3, 16, 16), np.float32)
    np.testing.assert_allclose(answer(ended, images), images.mean((2, 3)), rtol=1e-5)
    assert (ended.reply["outcome"], ended.reply["batch"]) == ("ok", None)
    # Five samples, their negatives, black, white and two of noise.
    assert (ended.reply["samples"], ended.reply["numbers"], ended.reply["differing"]) == (14, 42, 0)
    assert ended.reply["largest_difference"] <= 1e-5
    assert ended.reply["largest_output"] == pytest.approx(1.0)


@pytest.mark.parametrize(("images", "times"), [(BRIGHT, 1), (DARK, 10)], ids=["bright", "dark"])
def test_both_ways_of_a_branch_in_a_script_are_kept(child: Child, images: np.ndarray, times: int) -> None:
    ended = compiled(child, torch.jit.script(Branch()))

    np.testing.assert_allclose(answer(ended, images), times * images.mean((2, 3)), rtol=1e-5)


def test_a_loop_in_a_script_turns_as_often_as_the_picture_asks(child: Child) -> None:
    ended = compiled(child, torch.jit.script(Loop()))

    np.testing.assert_allclose(answer(ended, BRIGHT), np.full((1, 3), 0.9 / 16), rtol=1e-5)
    np.testing.assert_allclose(answer(ended, DARK / 2), np.full((1, 3), 0.05), rtol=1e-5)


@pytest.mark.parametrize("make", [torch.jit.script, traced])
def test_the_output_of_a_dict_is_taken_out(
    child: Child, make: Callable[[nn.Module], torch.jit.ScriptModule]
) -> None:
    ended = compiled(child, make(Named()))

    np.testing.assert_allclose(answer(ended, BRIGHT), BRIGHT.mean((2, 3)), rtol=1e-5)


def test_a_trace_that_holds_its_batch_is_compiled_for_that_batch(child: Child) -> None:
    ended = compiled(child, traced(OneAtATime()))

    sides = onnx.load_from_string(ended.outputs).graph.input[0].type.tensor_type.shape.dim
    assert ended.reply["batch"] == 1
    assert [side.dim_value for side in sides] == [1, 3, 16, 16]


def test_random_numbers_are_refused(child: Child) -> None:
    ended = compiled(child, traced(Noise()))

    assert (ended.exit_code, ended.reply["outcome"]) == (1, "export_failed")
    assert "differ" in ended.reply["facts"]["why"]
    assert ended.outputs == b""


class Bessel(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.special.i1e(x.mean((2, 3)))


def test_operators_that_onnx_lacks_are_refused_without_printing_the_graph(child: Child) -> None:
    ended = compiled(child, traced(Bessel()))

    assert ended.reply["outcome"] == "export_failed"
    assert "special_i1e" in ended.reply["facts"]["why"]
    assert "aten::special_i1e(%" not in ended.log


def test_a_model_with_code_is_compiled_too(model: Write) -> None:
    ended = model("x.mean((2, 3))").run(Task.COMPILE)

    np.testing.assert_allclose(answer(ended, BRIGHT), BRIGHT.mean((2, 3)), rtol=1e-5)


def test_a_branch_in_code_is_refused(model: Write) -> None:
    ended = model("x.mean((2, 3)) if x.mean() > 0.5 else 10 * x.mean((2, 3))").run(Task.COMPILE)

    assert ended.reply["outcome"] == "export_failed"


def test_a_model_that_answers_nan_to_a_sample_is_refused(child: Child) -> None:
    class Roots(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x - 2).mean((2, 3)).sqrt()

    assert compiled(child, traced(Roots())).reply["outcome"] == "not_finite"


def test_an_onnx_package_holds_no_module_to_compile(child: Child) -> None:
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)],
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3, 16, 16])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3])],
    )
    content = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(content, child.package / "net.onnx")

    ended = child.run(Task.COMPILE, Format.ONNX, main="net.onnx")

    assert ended.reply["outcome"] == "export_failed"


def test_no_path_of_the_entrant_is_kept(child: Child) -> None:
    ended = compiled(child, torch.jit.script(Branch()))

    assert b"test_compiling" not in ended.outputs
