"""Tracing in the real child: what comes out, and what is refused rather than frozen."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from scoring.contracts import Dtype, Format, Task
from tests.scoring.sandboxed.conftest import Child, Finished

Write = Callable[..., Child]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
IMAGES = np.random.default_rng(1).random((7, 3, 16, 16), np.float32)


def script(ended: Finished) -> torch.jit.ScriptModule:
    assert ended.reply["outcome"] == "ok", ended.log
    return torch.jit.load(io.BytesIO(ended.outputs))


def test_a_trace_answers_like_the_model_for_any_batch(model: Write) -> None:
    child = model("self.head(x.mean((2, 3)))", init="self.head = torch.nn.Linear(3, 3)")

    ended = child.run(Task.TRACE)

    traced = script(ended)
    weight, bias = (value.detach().numpy() for value in traced.parameters())
    found = traced(torch.from_numpy(IMAGES)).detach().numpy()
    np.testing.assert_allclose(found, IMAGES.mean((2, 3)) @ weight.T + bias, atol=1e-5)
    assert (ended.reply["batch"], ended.reply["output_shape"]) == (None, [1, 3])
    assert ended.reply["samples"] == len(child.pixels)


def test_the_same_model_gives_the_same_bytes(model: Write) -> None:
    child = model("self.head(x.mean((2, 3)))", init="torch.manual_seed(1); self.head = torch.nn.Linear(3, 3)")

    assert child.run(Task.TRACE).outputs == child.run(Task.TRACE).outputs


def test_no_path_of_the_entrant_and_no_picture_is_kept(model: Write) -> None:
    child = model("x.mean((2, 3))")

    ended = child.run(Task.TRACE)

    assert ended.reply["outcome"] == "ok"
    assert bytes(child.package) not in ended.outputs
    assert b"traced_inputs" not in ended.outputs


def test_bytes_are_made_of_what_a_package_is_fed(model: Write) -> None:
    ended = model("x.float().mean((2, 3))").run(Task.TRACE, dtype=Dtype.UINT8, high=255.0)

    pictures = np.random.default_rng(2).integers(0, 256, (4, 3, 16, 16), dtype=np.uint8)
    found = script(ended)(torch.from_numpy(pictures).float() / 255).numpy()
    np.testing.assert_allclose(found, pictures.mean((2, 3)), rtol=1e-6)
    assert ended.reply["largest_difference"] == 0.0


def test_attention_is_written_in_plain_operators(model: Write) -> None:
    ended = model(
        "self.layer(x.flatten(2).transpose(1, 2)).mean(1)",
        init="self.layer = torch.nn.TransformerEncoderLayer(3, 1, 8, batch_first=True)",
    ).run(Task.TRACE)

    assert b"_native_multi_head_attention" not in ended.outputs
    assert b"_transformer_encoder_layer_fwd" not in ended.outputs
    assert script(ended)(torch.from_numpy(IMAGES)).shape == (7, 3)


def test_a_model_for_single_pictures_is_traced_for_those(model: Write) -> None:
    ended = model("x.reshape(1, -1)[:, :3]").run(Task.TRACE)

    assert (ended.reply["outcome"], ended.reply["batch"]) == ("ok", 1)


def test_a_trace_that_answers_otherwise_is_refused(model: Write) -> None:
    ended = model("x.mean((2, 3)) + torch.rand(3)").run(Task.TRACE)

    assert (ended.exit_code, ended.reply["outcome"]) == (1, "export_failed")
    assert "differ" in ended.reply["facts"]["why"]
    assert ended.outputs == b""


def test_what_cannot_be_traced_says_why(model: Write) -> None:
    ended = model("x.mean((2, 3)) if not torch.jit.is_tracing() else x.nowhere()").run(Task.TRACE)

    assert ended.reply["outcome"] == "export_failed"
    assert "nowhere" in ended.reply["facts"]["why"]


def test_torchscript_is_not_traced_again(child: Child) -> None:
    torch.jit.script(nn.Flatten()).save(child.package / "model.pt")

    ended = child.run(Task.TRACE, Format.BYOM, main="model.pt", options={"batch": 1})

    assert ended.reply["outcome"] == "export_failed"
    assert "already is TorchScript" in ended.reply["facts"]["why"]
