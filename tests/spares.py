"""Programs in sandboxes that were started ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from scoring.contracts import Kind, RunLimits
from scoring.files.workdirs import workdir
from scoring.sandbox.base import Job, Run
from scoring.sandbox.bubblewrap import CHILD, BubblewrapSandbox
from scoring.sandbox.warm import STARTED_AHEAD, WarmSandbox

# Waits for its letter as our own child does, takes the limits that come with it, and puts it back for the program.
WAIT = """
import io, json, resource, sys
from scoring.contracts import Letter
from scoring.sandboxed.channel import read_letter
from scoring.sandboxed.processes import put_on
letter = read_letter()
for name, limit in letter.limits.items():
    resource.setrlimit(getattr(resource, name), (limit, limit))
put_on(letter.last_filter)
sys.stdin = io.StringIO(letter.to_bytes().decode())
"""


class AheadSandbox:
    """The real sandbox with a spare for each job, started just before; a job that finds none fails the test."""

    isolated = True

    def __init__(self, folder: Path, *, child: Sequence[str] = CHILD) -> None:
        self.spares = WarmSandbox(_NeverNow(child=child), partial(workdir, folder), free_bytes=lambda: 2**60)

    def expect(self, kinds: Iterable[Kind], limits: RunLimits) -> None:
        """Start spares."""
        self.spares.expect(kinds, limits)

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        """Start a spare if none waits, and run the job in it."""
        self.expect([job.kind], job.limits)
        return self.spares.run(job, workdir=workdir, tick=tick)


class _NeverNow(BubblewrapSandbox):
    """Starts a sandbox for such jobs only as are never started ahead."""

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        assert job.request.task not in STARTED_AHEAD, "the spare was not taken"
        return super().run(job, workdir=workdir, tick=tick)
