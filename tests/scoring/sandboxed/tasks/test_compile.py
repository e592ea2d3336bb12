"""Compiling a graph in the real child: what the compiled model answers, and what is refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from scoring.contracts import Task
from tests.scoring.sandboxed.conftest import Child
from tests.scoring.sandboxed.tasks.graphs import answer, run_on_graph

pytestmark = pytest.mark.slow
IMAGES = np.random.default_rng(1).random((7, 3, 16, 16), np.float32)


def test_a_graph_is_compiled_for_any_batch(child: Child) -> None:
    ended = run_on_graph(child, Task.COMPILE, lambda m, x: x.mean((2, 3)))

    np.testing.assert_allclose(answer(ended, IMAGES), IMAGES.mean((2, 3)), rtol=1e-5)
    assert ended.reply["batch"] is None
    assert (ended.reply["samples"], ended.reply["numbers"], ended.reply["differing"]) == (5, 15, 0)
    assert ended.reply["largest_difference"] <= 1e-5
    expected = child.pixels.mean((2, 3)).max() / 255
    assert ended.reply["largest_output"] == pytest.approx(expected)


def test_a_graph_of_one_batch_is_compiled_for_that(child: Child) -> None:
    ended = run_on_graph(child, Task.COMPILE, lambda m, x: x.view(1, 3, -1).mean(2))

    sides = onnx.load_from_string(ended.outputs).graph.input[0].type.tensor_type.shape.dim
    assert ended.reply["batch"] == 1
    assert [side.dim_value for side in sides] == [1, 3, 16, 16]


def test_an_answer_that_depends_on_the_batch_is_refused(child: Child) -> None:
    ended = run_on_graph(child, Task.COMPILE, lambda m, x: x.mean((2, 3)) * x.shape[0])

    assert (ended.exit_code, ended.reply["outcome"]) == (1, "export_failed")
    assert "differ" in ended.reply["facts"]["why"]
    assert ended.outputs == b""


def test_an_operator_that_onnx_lacks_is_named(child: Child) -> None:
    ended = run_on_graph(child, Task.COMPILE, lambda m, x: torch.cummax(x.mean((2, 3)), 1).values)

    assert ended.reply["outcome"] == "export_failed"
    assert "cummax" in ended.reply["facts"]["why"]
