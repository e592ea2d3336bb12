"""The child's side of gasbench: how load_model is called, and where in an answer the logits are."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from scoring.contracts import Dtype, Format, Task
from scoring.sandboxed.loaders.gasbench import logits_of

OPTIONS = {"weights_file": "deep/w.safetensors", "arguments": {"num_classes": 3}, "dtype": "float32"}
NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, x):
        return {answer}

"""


def run(
    child, load_model: str, *, task=Task.PREDICT, answer="x.float().mean((2, 3)) * self.scale", **options
):
    child.write("model.py", NET.replace("{answer}", answer) + load_model)
    return child.run(
        task, Format.GASBENCH, dtype=Dtype.UINT8, low=0.0, high=255.0, options={**OPTIONS, **options}
    )


def test_the_weights_path_and_every_argument_are_handed_over_as_they_are_stated(child):
    (child.package / "deep").mkdir()
    child.write("deep/w.safetensors", "weights")

    ended = run(
        child,
        "def load_model(path, num_classes, names):\n"
        "    assert open(path).read() == 'weights' and (num_classes, names) == (3, ['a', {'b': 0.5}])\n"
        "    return Net()\n",
        arguments={"num_classes": 3, "names": ["a", {"b": 0.5}]},
    )

    assert ended.reply == {"outcome": "ok", "rows": 5}


def test_the_model_receives_bytes_as_they_are_stored(child):
    ended = run(child, "def load_model(path, num_classes=3): return Net()\n")

    assert ended.rows == pytest.approx(child.pixels.astype("f8").mean((2, 3)), rel=1e-5)


@pytest.mark.parametrize("left_in", ["train", "eval"])
def test_the_model_predicts_in_evaluation_mode_however_load_model_leaves_it(child, left_in):
    answer = "torch.full((len(x), 3), float(self.training))"

    ended = run(child, f"def load_model(path, num_classes): return Net().{left_in}()\n", answer=answer)

    assert ended.rows.tolist() == [[0.0, 0.0, 0.0]] * 5


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_the_model_is_brought_to_the_stated_element_type(child, dtype):
    answer = f"torch.full((len(x), 3), float(self.scale.dtype is torch.{dtype}))"

    ended = run(child, "def load_model(path, num_classes): return Net()\n", answer=answer, dtype=dtype)

    assert ended.rows.tolist() == [[1.0, 1.0, 1.0]] * 5


def test_half_precision_answers_are_read(child):
    answer = "(x.to(self.scale.dtype).mean((2, 3)) * 0 + 0.5)"

    ended = run(child, "def load_model(path, num_classes): return Net()\n", answer=answer, dtype="bfloat16")

    assert ended.rows.tolist() == [[0.5, 0.5, 0.5]] * 5


@pytest.mark.parametrize(
    ("load_model", "why"),
    [
        ("", "model.py does not define load_model"),
        ("load_model = 3\n", "model.py does not define load_model"),
        (
            "def load_model(path, num_classes): return {}\n",
            "load_model() returned a dict, not a torch.nn.Module",
        ),
        (
            "def load_model(path): ...\n",
            "load_model(path) cannot be called with model_config.yaml: "
            "got an unexpected keyword argument 'num_classes'",
        ),
    ],
)
def test_a_load_model_that_does_not_serve_says_why(child, load_model, why):
    ended = run(child, load_model, task=Task.MEASURE)

    assert ended.reply == {"outcome": "load_failed", "facts": {"why": why}}


def test_a_type_error_inside_load_model_is_told_and_not_tried_again(child):
    ended = run(
        child,
        "def load_model(path, num_classes=2):\n    print('called')\n    return Net(1)\n",
        task=Task.MEASURE,
    )

    assert ended.reply["outcome"] == "load_failed"
    assert ended.reply["facts"]["why"].startswith("TypeError: ")
    assert ended.log.count("called") == 1


# --- where the logits are

ROWS = torch.ones(2, 3)


@pytest.mark.parametrize(
    "answer",
    [
        ROWS,
        SimpleNamespace(logits=ROWS, loss=None),
        {"logits": ROWS, "output": None},
        {"features": None, "output": ROWS},
        {"anything": ROWS},
        (ROWS,),
        [ROWS],
    ],
)
def test_logits_are_found_where_gasbench_finds_them(answer):
    assert logits_of(answer) is ROWS


def test_logits_of_one_step_are_those_of_the_sample():
    assert torch.equal(logits_of([ROWS[:, None]]), ROWS)
    assert logits_of(torch.ones(2, 4, 3)).shape == (2, 4, 3)


@pytest.mark.parametrize("answer", [(ROWS, ROWS), [ROWS, ROWS], {"a": ROWS, "b": ROWS}, {}, (), None, 3])
def test_which_of_several_is_meant_is_not_guessed(answer):
    assert logits_of(answer) is answer
