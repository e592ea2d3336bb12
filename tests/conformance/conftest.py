"""What every conformance check starts from: one job, and ways to run it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring.contracts import Format, InputContract, OutputContract, OutputKind, Request, RunLimits, Task
from scoring.sandbox.base import Job, Run, Sandbox
from scoring.sandbox.bubblewrap import BubblewrapSandbox

SAMPLES, WIDTH = 4, 2


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., Job]:
    """Make a job of four tiny samples; limits by keyword."""

    def make(*, timeout_s: float = 20.0, model: str = "", **limits: Any) -> Job:
        package, inputs = tmp_path / "package", tmp_path / "hidden" / "inputs.npy"
        package.mkdir(mode=0o700)
        (package / "model.py").write_text(model)
        inputs.parent.mkdir(mode=0o700)
        np.save(inputs, np.arange(SAMPLES * 12, dtype=np.uint8).reshape(SAMPLES, 3, 2, 2))
        (inputs.parent / "labels.csv").write_text("file,label\nsecret.png,1\n")
        request = Request(
            task=Task.PREDICT,
            format=Format.CVPR_ZIP,
            main="model.py",
            input=InputContract(shape=(3, 2, 2)),
            output=OutputContract(kind=OutputKind.LOGITS, width=WIDTH),
            samples=SAMPLES,
            batch_size=2,
            threads=2,
            seed=0,
        )
        chosen = {"max_memory_bytes": 512 * 2**20, "max_processes": 32, "max_tmp_bytes": 16 * 2**20, **limits}
        return Job(
            request=request, package=package, inputs=inputs, timeout_s=timeout_s, limits=RunLimits(**chosen)
        )

    return make


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Run]:
    """Run a job in a sandbox, in a work folder of its own."""

    def run(sandbox: Sandbox, job: Job, tick: Callable[[], None] = lambda: None) -> Run:
        return sandbox.run(job, workdir=tmp_path / "work", tick=tick)

    return run


@pytest.fixture
def inside(make_job: Callable[..., Job], play: Callable[..., Run]) -> Callable[..., Run]:
    """Run a program in the real sandbox."""

    def run(program: str, **limits: Any) -> Run:
        return play(BubblewrapSandbox(child=("-c", program)), make_job(**limits))

    return run
