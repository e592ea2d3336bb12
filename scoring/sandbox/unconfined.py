"""For `--trust` alone: the same child process and limits as in the real sandbox, and no isolation.

Meant for one's own entry on a machine without bubblewrap. The entry can read and write whatever the
caller can; no worker uses this.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scoring.contracts import Kind, Letter, RunLimits
from scoring.sandbox import cage, workfiles
from scoring.sandbox.base import Job, Run
from scoring.sandbox.bubblewrap import CHILD
from scoring.sandbox.limits import processors, resource_limits
from scoring.sandbox.pipes import open_pipe, readable
from scoring.sandbox.sealed import new_letter
from scoring.sandbox.supervise import Started, supervise


@dataclass(frozen=True)
class UnconfinedSandbox:
    """Runs each job as an ordinary child process. `child` is what Python starts."""

    child: Sequence[str] = CHILD

    @property
    def isolated(self) -> bool:
        """Say that entry code can reach everything that we can."""
        return False

    def expect(self, kinds: Iterable[Kind], limits: RunLimits) -> None:
        """Start nothing ahead."""

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        """Run the job; raise `Fault` when the child cannot be started or is killed from outside."""
        python = cage.outer_interpreter(job.kind.environment)
        files = workfiles.prepare(job, workdir.resolve())
        # The process limit is left out: without a user of its own, it would count all our processes.
        limits = {name: most for name, most in resource_limits(job).items() if name != "RLIMIT_NPROC"}
        if sys.platform != "linux":
            # Other systems refuse to lower what they do not account for.
            limits = {name: limits[name] for name in ("RLIMIT_CPU", "RLIMIT_CORE", "RLIMIT_FSIZE")}
        plan = {
            "uid": None,
            "confined": False,
            "limits": limits,
            "processors": processors(job),
            "pid": None,
            "filter": None,
            "argv": [str(python), *self.child, "--kind", job.kind.to_word(), *_child_files(files)],
        }
        letter = new_letter()
        with tempfile.TemporaryDirectory(dir=files.outputs.parent, ignore_cleanup_errors=True) as scratch:
            variables = {
                **cage.environment(job.limits.threads),
                "PYTHONPATH": str(cage.SOURCE.parent),
                "HOME": scratch,
                "TMPDIR": scratch,
            }
            with self.started(plan, letter, variables, scratch) as running:
                ending = supervise(running, job, tick)
        return workfiles.collect(job, files, ending, letter)

    def started(
        self, plan: Mapping[str, object], letter: Letter, variables: Mapping[str, str], cwd: str
    ) -> contextlib.AbstractContextManager[Started]:
        """Start the keeper; at the end, close our ends of its pipes."""
        return _started(plan, letter, variables, cwd)


def _child_files(files: cage.Exhibits) -> list[str]:
    return [
        *("--request", str(files.request), "--package", str(files.package.resolve())),
        *("--inputs", str(files.inputs.resolve())),
        *("--outputs", str(files.outputs)),
    ]


@contextlib.contextmanager
def _started(
    plan: Mapping[str, object], letter: Letter, variables: Mapping[str, str], cwd: str
) -> Iterator[Started]:
    started_at = time.monotonic()
    keeper = Path(cage.__file__).with_name("keeper.py")
    with contextlib.ExitStack() as ours:
        log, status, reply = (open_pipe(ours) for _ in range(3))
        keeper_plan = {**plan, "status_fd": status.writer, "reply_fd": reply.writer}
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(keeper), json.dumps(keeper_plan)],
            stdin=readable(letter.to_bytes(), ours),
            stdout=log.writer,
            stderr=log.writer,
            env=dict(variables),
            pass_fds=(status.writer, reply.writer),
            cwd=cwd,
            start_new_session=True,
        )
        for pipe in (log, status, reply):
            pipe.close_writer()
        yield Started(
            process=process,
            keeper_pid=process.pid,
            keeper_fd=None,
            log_fd=log.reader,
            status_fd=status.reader,
            reply_fd=reply.reader,
            scratch=None,
            started_at=started_at,
        )
