"""What every sandbox does: run one request on one package under limits. Trusts nothing it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from scoring.contracts import Kind, Request, RunLimits

# Empty files fill no /tmp, but the kernel frees them one by one: a million keep the worker waiting.
MAX_TEMPORARY_FILES: Final = 2**16


class ExitStatus(StrEnum):
    """How a run ended, seen from outside; each maps to exactly one code in the pipeline."""

    EXITED = "exited"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MUCH_OUTPUT = "too_much_output"


class Overflow(StrEnum):
    """Which output passed its cap, in the words that participants read."""

    LOG = "printed text"
    REPLY = "reply"
    OUTPUTS = "outputs"
    FILES = "temporary files"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run: what the child is told, which files it sees, what it may use.

    `inputs` is an .npy file of shape (samples, *request.input.sides()), mounted read-only.
    `timeout_s` bounds wall time; processor time is bounded by `timeout_s * limits.threads`.
    """

    request: Request
    package: Path
    inputs: Path
    timeout_s: float
    limits: RunLimits

    @property
    def kind(self) -> Kind:
        """Return what has to be loaded for it."""
        return self.request.kind


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came out of a run. All but the measurements is hostile.

    `reply` is what the child sealed, at most `MAX_REPLY_BYTES` long and empty for nothing; `outputs` is
    a file of raw little-endian float32 values, at most samples * width * 4 bytes; `log` is the capped
    text of stdout and stderr.
    `cpu_s` is user plus system time of the whole tree. A negative `exit_code` is a signal's number.
    `entry_began` says that the child's own libraries were loaded.
    `overflow` says what passed its cap when the status is `TOO_MUCH_OUTPUT`.
    """

    status: ExitStatus
    exit_code: int | None
    reply: bytes
    outputs: Path
    log: str
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int
    overflow: Overflow | None = None
    entry_began: bool = False


MAX_REPLY_BYTES = 2**20


class Sandbox(Protocol):
    """Runs a job; when `run` returns or raises, every process of the job is dead.

    `tick` is called at least once a second while the job runs; whatever it raises ends the job
    and is passed on. Raises `Fault` when the sandbox itself fails.
    """

    @property
    def isolated(self) -> bool:
        """Say whether entry code is kept away from the machine."""

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        """Run the job, writing only below `workdir`."""

    def expect(self, kinds: Iterable[Kind], limits: RunLimits) -> None:
        """Hear which jobs are likely to come next; nothing has to be made of it."""
