"""A job of each task, and a run that ended well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoring.contracts import Task
from scoring.sandbox.base import ExitStatus, Job, Run
from scoring.sandbox.trial import trial_job

SAMPLES = 3


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[[Task], Job]:
    """Make a job of three samples and two columns."""
    job = trial_job(tmp_path, timeout_s=12.5)

    def make(task: Task) -> Job:
        return replace(job, request=replace(job.request, task=task, samples=SAMPLES))

    return make


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """Make a run that exited with 0; change it by keyword."""

    def make(*, outputs: bytes = b"", **changes: Any) -> Run:
        path = tmp_path / "outputs.bin"
        path.write_bytes(outputs)
        run = Run(
            status=ExitStatus.EXITED,
            exit_code=0,
            reply=b"",
            outputs=path,
            log="what the entry printed",
            wall_s=1.0,
            cpu_s=1.5,
            peak_memory_bytes=1,
        )
        return replace(run, **changes)

    return make
