"""The real child program in the real sandbox: an entry's `model.py` from load to predictions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from scoring.errors import Rejected
from scoring.sandbox.base import Job, Run
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.exchange import PredictFacts, interpret, read_outputs

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

MEANS = """
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        print("a picture of", x.sum())
        return torch.stack([x.mean(dim=(1, 2, 3)), x.amax(dim=(1, 2, 3))], dim=1)
"""
HUNGRY = """
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return torch.ones(2**33).sum() + x
"""


def test_predictions_come_out(make_job: Callable[..., Job], play: Callable[..., Run]) -> None:
    job = make_job(model=MEANS, timeout_s=60, max_memory_bytes=2**30)

    run = play(BubblewrapSandbox(), job)

    assert interpret(run, job) == PredictFacts(rows=4, cpu_s=run.cpu_s), run.log
    pixels = np.load(job.inputs).astype(np.float32) / 255
    expected = np.stack([pixels.mean(axis=(1, 2, 3)), pixels.max(axis=(1, 2, 3))], axis=1)
    np.testing.assert_allclose(read_outputs(run, job), expected, rtol=1e-6)


def test_a_model_that_needs_too_much_memory_is_named(
    make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    job = make_job(model=HUNGRY, timeout_s=60, max_memory_bytes=2**30)

    with pytest.raises(Rejected) as caught:
        interpret(play(BubblewrapSandbox(), job), job)

    assert caught.value.code == "out_of_memory"


def test_of_an_exception_on_hidden_inputs_only_the_name_comes_out(
    make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    telling = MEANS.replace("return", "raise ValueError(str(x))  #")
    job = make_job(model=telling, timeout_s=60, max_memory_bytes=2**30)

    with pytest.raises(Rejected) as caught:
        interpret(play(BubblewrapSandbox(), job), job)

    assert caught.value.findings[0].facts == {"error": "ValueError"}
    assert caught.value.log == ""


@pytest.mark.parametrize(
    "call",
    [
        pytest.param("libc.execl(sys.executable.encode(), b'python', b'-V', None)", id="execve"),
        pytest.param("libc.syscall(322, -100, sys.executable.encode(), argv, None, 0)", id="execveat"),
    ],
)
def test_an_entry_cannot_become_another_program(
    call: str, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    attack = (
        f"""
import ctypes, sys, threading
libc, argv = ctypes.CDLL(None), (ctypes.c_char_p * 2)(b"python", None)
{call}
"""
        + MEANS
    )
    job = make_job(model=attack, timeout_s=60, max_memory_bytes=2**30)

    run = play(BubblewrapSandbox(), job)

    assert isinstance(interpret(run, job), PredictFacts), run.log
