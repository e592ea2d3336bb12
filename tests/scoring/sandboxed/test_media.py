"""Video and sound reach entries whole: batches of five and of two dimensions, in torch and in ONNX."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from scoring.contracts import Dtype, Format, InputContract, OutputContract, OutputKind, Reader, Request, Task
from scoring.sandboxed.inputs import FloatBatches, open_inputs

SOUND = {"low": -1.0, "high": 1.0}
FRAMES, SIDE, SAMPLES = 4, 8, 50


@pytest.fixture
def clips():
    return np.random.default_rng(0).integers(0, 256, (5, FRAMES, 3, SIDE, SIDE), dtype=np.uint8)


@pytest.fixture
def sounds():
    return np.random.default_rng(0).uniform(-1, 1, (5, SAMPLES)).astype(np.float32)


def write_graph(child, *, kind, shape, axes):
    """Write a graph that returns the mean over the axes, three times."""
    nodes = [
        helper.make_node("Cast", ["x"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["mean"], axes=axes, keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "axis"], ["column"]),
        helper.make_node("Concat", ["column"] * 3, ["rows"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("x", kind, ["n", *shape])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, None)],
        [helper.make_tensor("axis", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(child.package / "net.onnx"))


def test_a_clip_reaches_a_torch_model_frame_by_frame(model, clips):
    child = model("x.mean((3, 4))[:, 1]")
    child.pixels = clips

    ended = child.run(Task.PREDICT)

    np.testing.assert_allclose(ended.rows, clips[:, 1].mean((2, 3)) / 255, rtol=1e-5)


def test_a_clip_of_bytes_stays_bytes(model, clips):
    child = model("x[:, 2, :, 3, 3].float() * (1 if x.dtype == torch.uint8 else float('nan'))")
    child.pixels = clips

    ended = child.run(Task.PREDICT, dtype=Dtype.UINT8, high=255.0)

    np.testing.assert_array_equal(ended.rows, clips[:, 2, :, 3, 3])


def test_a_model_of_video_with_convolutions_predicts(model, clips):
    """Channels-last is for batches of four dimensions alone."""
    child = model(
        "self.layer(x.flatten(0, 1)).mean((2, 3)).reshape(x.shape[0], -1, 3).mean(1)",
        init="self.layer = torch.nn.Conv2d(3, 3, 3)",
    )
    child.pixels = clips

    assert child.run(Task.PREDICT).reply == {"outcome": "ok", "rows": 5}


def test_sound_reaches_a_torch_model_as_it_is_stored(model, sounds):
    child = model("x[:, :3]")
    child.pixels = sounds

    ended = child.run(Task.PREDICT, **SOUND)

    np.testing.assert_array_equal(ended.rows, sounds[:, :3])


def test_a_model_may_change_the_sound_that_it_is_given(model, sounds):
    child = model("x.mul_(0.5)[:, :3]")
    child.pixels = sounds

    ended = child.run(Task.PREDICT, **SOUND)

    np.testing.assert_array_equal(ended.rows, sounds[:, :3] * np.float32(0.5))


def test_macs_of_a_model_of_video_are_counted(model, clips):
    child = model(
        "self.layer(x.transpose(1, 2)).mean((2, 3, 4))",
        init="self.layer = torch.nn.Conv3d(3, 3, 3, bias=False)",
    )
    child.pixels = clips

    reply = child.run(Task.MEASURE).reply

    expected = 3 * 3 * 27 * (FRAMES - 2) * (SIDE - 2) ** 2
    assert reply["macs_by_counter"] == {"dispatch": expected, "ptflops": expected, "fvcore": expected}


def test_macs_of_a_model_of_sound_are_counted(model, sounds):
    child = model("self.layer(x[:, None]).mean(2)", init="self.layer = torch.nn.Conv1d(1, 3, 5, bias=False)")
    child.pixels = sounds

    reply = child.run(Task.MEASURE, **SOUND).reply

    expected = 3 * 5 * (SAMPLES - 4)
    assert reply["macs_by_counter"] == {"dispatch": expected, "ptflops": expected, "fvcore": expected}


@pytest.mark.parametrize(("kind", "scale"), [(TensorProto.FLOAT, 255), (TensorProto.UINT8, 1)])
@pytest.mark.parametrize("task", [Task.MEASURE, Task.PREDICT])
def test_a_graph_of_video_runs(child, clips, kind, scale, task):
    write_graph(child, kind=kind, shape=(FRAMES, 3, SIDE, SIDE), axes=[1, 2, 3, 4])
    child.pixels = clips

    ended = child.run(task, Format.ONNX, main="net.onnx")

    assert ended.reply["outcome"] == "ok"
    if task is Task.PREDICT:
        expected = clips.mean((1, 2, 3, 4)) / scale
        np.testing.assert_allclose(ended.rows, np.stack([expected] * 3, axis=1), rtol=1e-5)


def test_a_graph_of_sound_gets_the_stored_floats(child, sounds):
    write_graph(child, kind=TensorProto.FLOAT, shape=(SAMPLES,), axes=[1])
    child.pixels = sounds

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx", **SOUND)

    np.testing.assert_allclose(ended.rows, np.stack([sounds.mean(1)] * 3, axis=1), atol=1e-6)


def test_a_graph_that_wants_sound_as_bytes_is_refused(child, sounds):
    write_graph(child, kind=TensorProto.UINT8, shape=(SAMPLES,), axes=[1])
    child.pixels = sounds

    ended = child.run(Task.PREDICT, Format.ONNX, main="net.onnx", **SOUND)

    why = "the graph's input is a tensor(uint8); float is allowed"
    assert ended.reply == {"outcome": "load_failed", "facts": {"why": why}}


@pytest.mark.parametrize(("reader", "stored"), [(Reader.AUDIO, np.uint8), (Reader.IMAGE, np.float32)])
def test_arrays_of_another_type_than_the_readers_are_refused(reader, stored, tmp_path):
    np.save(tmp_path / "inputs.npy", np.zeros((2, 6), stored))
    request = Request(
        task=Task.PREDICT,
        format=Format.ONNX,
        main="net.onnx",
        input=InputContract(reader=reader, shape=(6,)),
        output=OutputContract(kind=OutputKind.LOGITS, width=2),
        samples=2,
        batch_size=1,
        threads=1,
        seed=0,
    )

    with pytest.raises(ValueError, match="the request says"):
        open_inputs(tmp_path / "inputs.npy", request)


def test_converted_sound_is_a_copy_of_its_own(sounds):
    batches = FloatBatches(InputContract(reader=Reader.AUDIO, shape=(SAMPLES,), low=-1.0))

    converted = batches.convert(sounds)

    assert not np.shares_memory(converted, sounds)
    np.testing.assert_array_equal(converted, sounds)
