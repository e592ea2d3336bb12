"""What travels through the stages: the track, the ports, and what a rejection shows too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

from scoring.contracts import Finding, Package, Request, Stage, Task, TrackSpec, Usage
from scoring.errors import Fault, Rejected
from scoring.sandbox.base import Job, Run, Sandbox

Note = Callable[[Stage], None]
ON_FEW_SAMPLES: Final = frozenset({Task.MEASURE, Task.EXPORT, Task.QUANTISE})


@dataclass(kw_only=True)
class Flow:
    """What travels through the stages: the track, the ports, and what a rejection shows too."""

    track: TrackSpec
    sandbox: Sandbox
    workdir: Path
    note: Note
    timings_s: dict[str, float] = field(default_factory=dict)
    log: str = ""
    usage: Usage | None = None
    package: Package | None = None
    warnings: tuple[Finding, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)

    @contextmanager
    def stage(self, stage: Stage, *, timed_as: str = "") -> Iterator[None]:
        """Announce the stage and take its time, under a name of its own if it has one."""
        self.note(stage)
        started = monotonic()
        yield
        self.timings_s[timed_as or stage.value] = monotonic() - started

    @contextmanager
    def only_rejected_or_fault(self) -> Iterator[None]:
        """Give rejections what was found by then, and turn trouble with our own disk into a fault."""
        try:
            yield
        except Rejected as exc:
            raise Rejected(
                *exc.findings,
                log=exc.log or self.log,
                timings_s=self.timings_s,
                usage=self.usage,
                warnings=(*self.warnings, *exc.warnings),
                package=self.package,
            ) from exc
        except (OSError, MemoryError) as exc:
            raise Fault(f"{type(exc).__name__} on our side") from exc


def make_job(task: Task, package: Package, inputs: Path, samples: int, flow: Flow) -> Job:
    """Return the job that does the task on the package under the track's limits."""
    limits = flow.track.run_limits
    request = Request(
        task=task,
        format=package.format,
        main=package.main,
        input=flow.track.input,
        output=flow.track.output,
        samples=samples,
        batch_size=limits.batch_size,
        threads=limits.threads,
        seed=limits.seed,
        options=flow.options,
    )
    timeout_s = limits.measure_timeout_s if task in ON_FEW_SAMPLES else limits.predict_timeout_s
    return Job(request=request, package=package.root, inputs=inputs, timeout_s=timeout_s, limits=limits)


def run_job(job: Job, flow: Flow, stage: Stage, *, name: str = "") -> Run:
    """Run the job in a folder of its own, renewing what `note` renews.

    `name` tells it from another run of the same task, whose outputs are still to be read.
    """
    folder = flow.workdir / f"run-{name or job.request.task}"
    folder.mkdir(exist_ok=True)
    return flow.sandbox.run(job, workdir=folder, tick=lambda: flow.note(stage))
