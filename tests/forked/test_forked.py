"""A forked child meets what a cold one meets: the same modules, environment, limits and open files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring.contracts import Format, InputContract, OutputContract, OutputKind, Request, RunLimits, Task
from scoring.sandbox.base import ExitStatus, Job, Sandbox
from scoring.sandbox.unconfined import UnconfinedSandbox
from tests.forked.sandbox import ForkedSandbox

SURROUNDINGS = """
import json, os, resource, signal, sys
print(json.dumps({
    "variables": {name: value for name, value in os.environ.items() if name not in ("HOME", "TMPDIR", "PYTHONPATH")},
    "is_at_home": [os.getcwd() == os.environ[name] for name in ("HOME", "TMPDIR")],
    "limits": {name: resource.getrlimit(value) for name, value in vars(resource).items() if name.startswith("RLIMIT")},
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "handled": {number: str(signal.getsignal(number)) for number in signal.valid_signals()},
    "threads": len(os.listdir("/proc/self/task")),
    "files": sorted(os.readlink(f"/proc/self/fd/{name}").partition("[")[0].rpartition("/")[2]
                    for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")),
    "leads": [os.getpid() == os.getpgid(0), os.getpid() == os.getsid(0)],
    "hash": hash("seeded"),
    "name": __name__,
    "arguments": len(sys.argv),
    "bytes_are_text": [sys.stdout.encoding, sys.stdout.line_buffering, sys.stderr.line_buffering],
    "safe_path": sys.flags.safe_path,
}))
"""
MODEL_THAT_TELLS = """
import json, sys
print(json.dumps(sorted(sys.modules)))
sys.stdout.flush()
import os
os._exit(0)
"""
GASBENCH = """
name: telling
version: "1.0"
modality: image
preprocessing: {resize: [2, 2]}
model: {num_classes: 2, weights_file: model.safetensors}
"""


pytestmark = pytest.mark.slow


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Return a function that makes a job on four tiny pictures with this model.py."""

    def make(task: Task = Task.PREDICT, package_format: Format = Format.CVPR_ZIP) -> Job:
        package = tmp_path / "package"
        package.mkdir()
        (package / "model.py").write_text(MODEL_THAT_TELLS)
        (package / "model_config.yaml").write_text(GASBENCH)
        np.save(tmp_path / "inputs.npy", np.zeros((4, 3, 2, 2), np.uint8))
        request = Request(
            task=task,
            format=package_format,
            main="model.py",
            input=InputContract(shape=(3, 2, 2)),
            output=OutputContract(kind=OutputKind.LOGITS, width=2),
            samples=4,
            batch_size=2,
            threads=2,
            seed=0,
        )
        return Job(
            request=request,
            package=package,
            inputs=tmp_path / "inputs.npy",
            timeout_s=600.0,
            limits=RunLimits(threads=2),
        )

    return make


def told(sandbox: Sandbox, job: Job, workdir: Path) -> Any:
    """Return what the child printed."""
    run = sandbox.run(job, workdir=workdir, tick=lambda: None)
    assert (run.status, run.exit_code) == (ExitStatus.EXITED, 0), run.log
    return json.loads(run.log)


def test_a_child_is_surrounded_by_the_same(job: Callable[..., Job], tmp_path: Path) -> None:
    made, child = job(), ("-P", "-s", "-c", SURROUNDINGS)

    cold = told(UnconfinedSandbox(child), made, tmp_path / "cold")

    assert told(ForkedSandbox(child), made, tmp_path / "forked") == cold
    assert cold["is_at_home"] == [True, True]


@pytest.mark.parametrize(
    ("task", "package_format"),
    [(Task.PREDICT, Format.CVPR_ZIP), (Task.MEASURE, Format.CVPR_ZIP), (Task.MEASURE, Format.GASBENCH)],
)
def test_an_entry_begins_among_the_same_modules(
    job: Callable[..., Job], tmp_path: Path, task: Task, package_format: Format
) -> None:
    """But for Python's own, of which the server has loaded some: an entry cannot bring its own of these unnoticed."""
    made = job(task, package_format)

    cold, forked = (
        set(told(sandbox, made, tmp_path / type(sandbox).__name__))
        for sandbox in (UnconfinedSandbox(), ForkedSandbox())
    )

    assert cold - forked == set()
    assert {name.partition(".")[0] for name in forked - cold} <= sys.stdlib_module_names
