"""A sandbox that plays a script: for tests of whatever uses a sandbox, with no process at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Kind, Outcome, RunLimits, Task
from scoring.errors import Fault
from scoring.sandbox.base import MAX_REPLY_BYTES, ExitStatus, Job, Overflow, Run
from scoring.sandbox.limits import expected_output_bytes


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """How one run shall go. `ticks` is how often `tick` is called, so that it can end the job."""

    status: ExitStatus = ExitStatus.EXITED
    exit_code: int | None = 0
    reply: bytes = b""
    outputs: bytes = b""
    log: str = ""
    wall_s: float = 0.1
    cpu_s: float = 0.1
    peak_memory_bytes: int = 2**20
    overflow: Overflow | None = None
    ticks: int = 1
    fault: str = ""


@dataclass
class FakeSandbox:
    """Plays for each task its scripts in turn, the last one for ever; remembers the jobs it was given."""

    scripts: Mapping[Task, Sequence[Scripted]]
    isolated: bool = True
    jobs: list[Job] = field(default_factory=list)
    expected: list[Kind] = field(default_factory=list)

    def expect(self, kinds: Iterable[Kind], limits: RunLimits) -> None:
        """Remember what was expected."""
        self.expected.extend(kinds)

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        """Play the next script of the job's task under the caps that every sandbox keeps."""
        scripts = self.scripts[job.request.task]
        played = sum(earlier.request.task is job.request.task for earlier in self.jobs)
        self.jobs.append(job)
        script = scripts[min(played, len(scripts) - 1)]
        for _ in range(script.ticks):
            tick()
        if script.fault:
            raise Fault(script.fault)
        workdir.mkdir(parents=True, exist_ok=True)
        outputs = workdir / "outputs.bin"
        outputs.write_bytes(script.outputs)
        status, overflow = _capped(script, job)
        return Run(
            status=status,
            exit_code=script.exit_code,
            reply=script.reply[:MAX_REPLY_BYTES],
            outputs=outputs,
            log=script.log[: job.limits.max_log_bytes],
            wall_s=script.wall_s,
            cpu_s=script.cpu_s,
            peak_memory_bytes=script.peak_memory_bytes,
            overflow=overflow,
        )


def _capped(script: Scripted, job: Job) -> tuple[ExitStatus, Overflow | None]:
    if script.status is not ExitStatus.EXITED:
        return script.status, script.overflow
    if script.wall_s > job.timeout_s or script.cpu_s > job.timeout_s * job.limits.threads:
        return ExitStatus.TIMED_OUT, None
    if script.peak_memory_bytes > job.limits.max_memory_bytes:
        return ExitStatus.OUT_OF_MEMORY, None
    sizes = {
        Overflow.LOG: (len(script.log), job.limits.max_log_bytes),
        Overflow.REPLY: (len(script.reply), MAX_REPLY_BYTES),
        Overflow.OUTPUTS: (len(script.outputs), expected_output_bytes(job)),
    }
    too_long = [overflow for overflow, (size, most) in sizes.items() if size > most]
    return (ExitStatus.TOO_MUCH_OUTPUT, too_long[0]) if too_long else (ExitStatus.EXITED, None)


def measured(
    *, parameters: int = 1_000, trainable_parameters: int = 900, macs: int = 5_000, log: str = ""
) -> Scripted:
    """Script a measurement that goes well."""
    reply = {
        "outcome": Outcome.OK,
        "parameters": parameters,
        "trainable_parameters": trainable_parameters,
        "macs_by_counter": {"dispatch": macs, "ptflops": None, "fvcore": None},
        "uncounted_ops": [],
        "warnings": [],
    }
    return Scripted(reply=json.dumps(reply).encode(), log=log)


def predicted(rows: NDArray[np.float32]) -> Scripted:
    """Script a prediction that returns `rows`, shape (samples, width)."""
    reply = json.dumps({"outcome": Outcome.OK, "rows": len(rows)}).encode()
    return Scripted(reply=reply, outputs=rows.astype("<f4").tobytes())


def calibrated(*, macs: int, cpu_s: float) -> Scripted:
    """Script a calibration."""
    return Scripted(reply=json.dumps({"outcome": Outcome.OK, "macs": macs, "cpu_s": cpu_s}).encode())


def failed(outcome: Outcome, **facts: object) -> Scripted:
    """Script a child that reports `outcome` with `facts`."""
    return Scripted(exit_code=1, reply=json.dumps({"outcome": outcome, "facts": facts}).encode())
