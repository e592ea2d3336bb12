"""A trivial job that says whether a sandbox works on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from scoring.contracts import (
    Format,
    InputContract,
    OutputContract,
    OutputKind,
    Request,
    RunLimits,
    Task,
)
from scoring.errors import Fault
from scoring.sandbox import BACKENDS
from scoring.sandbox.base import ExitStatus, Job

ANSWER: Final = b"it works"
PROGRAM: Final = f"""
import json, os, sys
seal = json.load(sys.stdin)["seal"]
os.write(int(sys.argv[sys.argv.index("--reply") + 1]), seal.encode() + b" " + {ANSWER!r} + b"\\n")
"""


def trial_job(folder: Path, *, timeout_s: float = 30.0) -> Job:
    """Make a job with one sample and an empty package below `folder`."""
    package, inputs = folder / "package", folder / "inputs.npy"
    package.mkdir()
    np.save(inputs, np.zeros((1, 3, 2, 2), dtype=np.uint8))
    request = Request(
        task=Task.PREDICT,
        format=Format.CVPR_ZIP,
        main="model.py",
        input=InputContract(shape=(3, 2, 2)),
        output=OutputContract(kind=OutputKind.LOGITS, width=2),
        samples=1,
        batch_size=1,
        threads=1,
        seed=0,
    )
    return Job(request=request, package=package, inputs=inputs, timeout_s=timeout_s, limits=RunLimits())


def trial_failure(name: str) -> str:
    """Run a program in the sandbox of that name; return why that failed, or nothing."""
    with tempfile.TemporaryDirectory(prefix="podium-trial-") as made:
        folder = Path(made)
        sandbox = BACKENDS[name].open(child=("-c", PROGRAM))
        try:
            run = sandbox.run(trial_job(folder), workdir=folder / "work", tick=lambda: None)
        except Fault as exc:
            return str(exc)
    if run.status is not ExitStatus.EXITED or run.reply != ANSWER:
        return f"a trivial program ended as {run.status}: {run.log[-300:]}"
    return ""
