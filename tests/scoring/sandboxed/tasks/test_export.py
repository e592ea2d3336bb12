"""Exporting a graph to ONNX in the real child: what comes out, and one test for each way it cannot be done."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from scoring.contracts import Dtype, Task
from tests.scoring.sandboxed.conftest import Child
from tests.scoring.sandboxed.tasks.graphs import GRAPH, answer, run_on_graph

pytestmark = pytest.mark.slow
IMAGES = np.random.default_rng(1).random((7, 3, 16, 16), np.float32)


def test_the_onnx_graph_answers_like_the_captured_one_for_any_batch(child: Child) -> None:
    head = nn.Linear(3, 3)
    weight, bias = head.weight.detach().numpy(), head.bias.detach().numpy()

    ended = run_on_graph(child, Task.EXPORT, lambda m, x: m.part_0(x.mean((2, 3))), head)

    batch, *sides = onnxruntime.InferenceSession(ended.outputs).get_inputs()[0].shape
    assert (type(batch), sides) == (str, [3, 16, 16])
    np.testing.assert_allclose(answer(ended, IMAGES), IMAGES.mean((2, 3)) @ weight.T + bias, atol=1e-5)
    assert ended.reply["samples"] == len(child.pixels)
    assert ended.reply["largest_difference"] <= 1e-5


def test_bytes_stay_bytes_and_no_source_line_is_kept(child: Child) -> None:
    ended = run_on_graph(
        child, Task.EXPORT, lambda m, x: x.float().mean((2, 3)), dtype=Dtype.UINT8, high=255.0
    )

    session = onnxruntime.InferenceSession(ended.outputs, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].type == "tensor(uint8)"
    assert b".py" not in ended.outputs


def test_a_graph_of_one_batch_is_written_for_that(child: Child) -> None:
    ended = run_on_graph(child, Task.EXPORT, lambda m, x: x.view(1, 3, -1).mean(2))

    (value,) = onnx.load_from_string(ended.outputs).graph.input
    assert value.type.tensor_type.shape.dim[0].dim_value == 1
    np.testing.assert_allclose(answer(ended, IMAGES[:1]), IMAGES[:1].mean((2, 3)), rtol=1e-5)


def test_a_recurrent_graph_is_written_too(child: Child) -> None:
    net = nn.LSTM(16, 3, batch_first=True)

    ended = run_on_graph(child, Task.EXPORT, lambda m, x: m.part_0(x.mean(1))[0][:, -1], net)

    with torch.no_grad():
        expected = net(torch.from_numpy(IMAGES.mean(1)))[0][:, -1].numpy()
    np.testing.assert_allclose(answer(ended, IMAGES), expected, atol=1e-5)


def test_an_answer_that_depends_on_the_batch_is_refused(child: Child) -> None:
    ended = run_on_graph(child, Task.EXPORT, lambda m, x: x.mean((2, 3)) * x.shape[0])

    assert (ended.exit_code, ended.reply["outcome"]) == (1, "export_failed")
    assert "differ" in ended.reply["facts"]["why"]
    assert ended.outputs == b""


def test_an_operator_without_onnx_form_is_named(child: Child) -> None:
    ended = run_on_graph(child, Task.EXPORT, lambda m, x: x.flatten(2).median(dim=2).values)

    assert ended.reply["outcome"] == "export_failed"
    assert ended.reply["facts"]["why"] == "the torch operator aten.median has no ONNX equivalent"


def test_what_is_no_graph_is_not_loaded(child: Child) -> None:
    child.write(GRAPH, "no graph")

    assert child.run(Task.EXPORT, main=GRAPH, captured=True).reply["outcome"] == "load_failed"
