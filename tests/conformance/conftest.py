"""What every conformance check starts from: one job, and ways to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring.contracts import Format, InputContract, OutputContract, OutputKind, Request, RunLimits, Task
from scoring.sandbox.base import Job, Run, Sandbox
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from tests.spares import WAIT, AheadSandbox

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
def ahead(tmp_path: Path) -> Iterator[Callable[[str], AheadSandbox]]:
    """Make a sandbox that runs a program in spares; those that are left end with the test."""
    with ExitStack() as kept:

        def make(program: str) -> AheadSandbox:
            sandbox = AheadSandbox(tmp_path / "spares", child=("-c", WAIT + program))
            kept.callback(sandbox.spares.close)
            return sandbox

        yield make


@pytest.fixture(params=["cold", "warm"])
def inside(
    request: pytest.FixtureRequest,
    make_job: Callable[..., Job],
    play: Callable[..., Run],
    ahead: Callable[[str], AheadSandbox],
) -> Callable[..., Run]:
    """Run a program in the real sandbox, started for it or ahead of it."""

    def run(program: str, **limits: Any) -> Run:
        cold = BubblewrapSandbox(child=("-c", program))
        return play(cold if request.param == "cold" else ahead(program), make_job(**limits))

    return run
