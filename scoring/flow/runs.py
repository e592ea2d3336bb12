"""Runs in the sandbox: what an evaluation works with, and the job that does one task on one package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scoring.contracts import Processes, Request, Stage, Task, TrackSpec
from scoring.environment import why_not_here
from scoring.errors import Fault
from scoring.flow.found import Loadable
from scoring.readers import READERS
from scoring.sandbox.base import Job, Run, Sandbox

Note = Callable[[Stage], None]
PROBE_SAMPLES: Final = 4
ON_FEW_SAMPLES: Final = frozenset(
    {Task.MEASURE, Task.COUNT, Task.EXPORT, Task.COMPILE, Task.TRACE, Task.QUANTISE}
)


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What one evaluation works with: a sandbox, a folder of its own, and whom to tell how far it is."""

    sandbox: Sandbox
    workdir: Path
    note: Note


def require_environment(track: TrackSpec) -> None:
    """Raise Fault where entries of the track cannot run on this machine, before anything is said of one."""
    why = why_not_here(track.environment)
    if why:
        raise Fault(why)


def make_job(task: Task, model: Loadable, inputs: Path, samples: int, *, seed: int | None = None) -> Job:
    """Return the job that does the task on the package under the track's limits."""
    limits = model.track.run_limits
    request = Request(
        task=task,
        format=model.package.format,
        main=model.package.main,
        input=model.track.input,
        output=model.track.output,
        samples=samples,
        batch_size=limits.batch_size,
        threads=limits.threads,
        seed=limits.seed if seed is None else seed,
        may_start_processes=limits.processes is Processes.ALLOWED,
        options=model.options,
        captured=model.captured,
        environment=model.track.environment,
    )
    timeout_s = limits.measure_timeout_s if task in ON_FEW_SAMPLES else limits.predict_timeout_s
    return Job(request=request, package=model.package.root, inputs=inputs, timeout_s=timeout_s, limits=limits)


def make_probe_job(task: Task, model: Loadable, tools: Tools) -> Job:
    """Return the job that does the task on the samples that ship with Podium."""
    reader = READERS[model.track.input.reader]
    inputs = reader.probe_inputs(model.track.input, tools.workdir)
    return make_job(task, model, inputs, PROBE_SAMPLES)


def run_job(job: Job, tools: Tools, stage: Stage) -> Run:
    """Run the job in a folder of its task, renewing what `note` renews.

    What the run wrote is to be read before another one of the same task begins.
    """
    folder = tools.workdir / f"run-{job.request.task}"
    folder.mkdir(exist_ok=True)
    return tools.sandbox.run(job, workdir=folder, tick=lambda: tools.note(stage))
