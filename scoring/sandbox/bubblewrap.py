"""The real sandbox: bubblewrap's namespaces, a user of its own, a system call filter, limits.

Run by root (the usual worker in a container), the entry gets a fresh user id for each run and no user
namespace: the kernel counts processes against a real user only then. Run by an ordinary user, it is
that user in a user namespace that allows no further ones.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from scoring.contracts import Kind, Processes, RunLimits
from scoring.errors import Cause, Fault
from scoring.sandbox import cage, syscalls, workfiles
from scoring.sandbox.base import Job, Run
from scoring.sandbox.control_group import ControlGroup, control_group
from scoring.sandbox.limits import limits_before_a_job, limits_of_a_job, processors, resource_limits
from scoring.sandbox.pipes import Pipe, open_pipe, readable
from scoring.sandbox.sealed import new_letter
from scoring.sandbox.supervise import Started, kill, supervise

CHILD: Final = ("-P", "-s", "-m", "scoring.sandboxed")
CHILD_FILES: Final = (
    *("--request", cage.REQUEST, "--package", cage.PACKAGE, "--inputs", cage.INPUTS),
    *("--outputs", cage.OUTPUTS),
)
# Far above the ids of people, services and containers' sub-ids, below 2**31.
UIDS: Final = range(1_900_000_000, 2_000_000_000)
NAMESPACES: Final = (
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
)
# What the keeper needs to become another user and to end it; the entry keeps none of them.
KEEPER_CAPABILITIES: Final = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL")
SETUP_S: Final = 20.0


@dataclass(frozen=True)
class BubblewrapSandbox:
    """Runs each job as a stranger in an empty machine. `child` is what Python starts inside."""

    child: Sequence[str] = CHILD

    @property
    def isolated(self) -> bool:
        """Say that entry code is kept away from the machine."""
        return True

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        """Run the job; raise `Fault` when the sandbox cannot be set up or is killed from outside."""
        exhibits = workfiles.prepare(job, workdir)
        with self.opened(job.kind, job.limits, exhibits.mounts, exhibits.outputs, job) as opened:
            return opened.play(job, exhibits, tick)

    def expect(self, kinds: Iterable[Kind], limits: RunLimits) -> None:
        """Start nothing ahead; see `WarmSandbox`."""

    @contextlib.contextmanager
    def opened(
        self, kind: Kind, limits: RunLimits, given: Mapping[str, Path], outputs: Path, job: Job | None = None
    ) -> Iterator[Opened]:
        """Start a child that loads what the kind needs and waits for its letter; it is dead in the end.

        `given` stands inside as it is named, and `outputs` as the file to write. Without a `job`, the
        limits that depend on one come with the letter.
        """
        uid = unused_uid() if os.geteuid() == 0 else None
        pinned_to = processors(job) if job else None
        may_start_processes = limits.processes is Processes.ALLOWED
        child_filter = syscalls.child_program(
            is_pinned=pinned_to is not None,
            may_start_processes=may_start_processes,
            has_its_limits=job is not None,
        )
        plan = {
            "uid": uid,
            "confined": True,
            "limits": resource_limits(job) if job else limits_before_a_job(limits),
            "processors": pinned_to,
            "readable": cage.READABLE,
            "pid": syscalls.CHILD_PID,
            "filter": encoded(child_filter),
            "argv": [cage.interpreter(kind.environment), *self.child, "--kind", kind.to_word(), *CHILD_FILES],
        }
        with started(cage.arguments(given, outputs, limits, kind.environment), plan) as (running, letters):
            try:
                yield Opened(running, letters, uid, has_its_limits=job is not None)
            finally:
                kill(running)


@dataclass(frozen=True)
class Opened:
    """A sandbox that stands, and in it a child that waits for its letter; good for one job."""

    running: Started
    letters: Pipe
    uid: int | None
    has_its_limits: bool

    @property
    def is_alive(self) -> bool:
        """Say whether the child still waits."""
        return self.running.process.poll() is None

    def play(self, job: Job, exhibits: cage.Exhibits, tick: Callable[[], None]) -> Run:
        """Run the job, whose files stand inside as the mounts say."""
        if self.uid is not None:
            workfiles.hand_over(exhibits, self.uid)
        may_start_processes = job.limits.processes is Processes.ALLOWED
        letter = new_letter(
            encoded(syscalls.last_program(may_start_processes=may_start_processes)),
            {} if self.has_its_limits else limits_of_a_job(job),
        )
        running = replace(self.running, started_at=time.monotonic())
        self.letters.send(letter.to_bytes())
        ending = supervise(running, job, tick)
        if self.uid is not None:
            workfiles.take_back(exhibits)
        return workfiles.collect(job, exhibits, ending, letter)


def encoded(program: bytes) -> str:
    """Return a system call filter as it stands in JSON."""
    return base64.b64encode(program).decode()


def mapped_uids(uid_map: str) -> range:
    """Return the ids to draw from: the usual ones, or in a container that maps few, the highest of those."""
    mapped = [
        range(first, first + count) for first, _, count in (map(int, m.split()) for m in uid_map.splitlines())
    ]
    if any(UIDS.start in ids and UIDS[-1] in ids for ids in mapped):
        return UIDS
    most = max(mapped, key=len)
    return most[len(most) // 2 :]


def unused_uid() -> int:
    """Draw a user id that no process has, so that the process limit counts this run alone."""
    uids = mapped_uids(Path("/proc/self/uid_map").read_text())
    taken = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            taken.add(process.stat().st_uid)
    draw = random.SystemRandom()
    while (uid := draw.choice(uids)) in taken:
        pass
    return uid


@contextlib.contextmanager
def started(inside: list[str], plan: Mapping[str, object]) -> Iterator[tuple[Started, Pipe]]:
    """Start bubblewrap with the keeper inside, and yield it with the pipe that its child's letter goes down.

    Our ends of its pipes are closed in the end.
    """
    with control_group() as group, contextlib.ExitStack() as ours:
        log, status, reply, report, letters = (open_pipe(ours) for _ in range(5))
        keeper_plan = {**plan, "status_fd": status.writer, "reply_fd": reply.writer}
        process = _start(
            inside, keeper_plan, group, letters=letters.reader, log=log.writer, report=report.writer
        )
        try:
            for pipe in (log, status, reply, report):
                pipe.close_writer()
            keeper_pid = _keeper_pid(report.read(SETUP_S), process, log.read)
            keeper_fd = os.pidfd_open(keeper_pid)
        except BaseException:
            # Killed before it knows its parent, the inside would wait for ever; it dies with bubblewrap.
            process.kill()
            process.wait()
            raise
        ours.callback(os.close, keeper_fd)
        running = Started(
            process=process,
            keeper_pid=keeper_pid,
            keeper_fd=keeper_fd,
            log_fd=log.reader,
            status_fd=status.reader,
            reply_fd=reply.reader,
            scratch="/tmp",  # noqa: S108
            started_at=time.monotonic(),
            group=group,
        )
        yield running, letters


def _start(
    inside: list[str],
    plan: Mapping[str, Any],
    group: ControlGroup | None,
    *,
    letters: int,
    log: int,
    report: int,
) -> subprocess.Popen[bytes]:
    # With the interpreter that the child is started with: no other stands inside.
    keeper = [plan["argv"][0], "-I", "-S", cage.KEEPER, json.dumps(plan)]
    with contextlib.ExitStack() as theirs:
        filter_fd = readable(syscalls.program(), theirs)
        words = [*privileges(), *inside, "--info-fd", str(report), "--seccomp", str(filter_fd)]
        # By pipe and not by argv: /proc/1/cmdline would name the host's paths inside.
        words_fd = readable(b"".join(os.fsencode(word) + b"\0" for word in words), theirs)
        command = [program(), "--args", str(words_fd), "--", *keeper]
        return subprocess.Popen(
            group.entered_by(command) if group else command,
            stdin=letters,
            stdout=log,
            stderr=log,
            # bubblewrap's own environment shows in /proc/1/environ: give it none of our secrets.
            env={"PATH": os.defpath},
            pass_fds=(plan["status_fd"], plan["reply_fd"], report, filter_fd, words_fd),
            cwd="/",
        )


def privileges() -> list[str]:
    """Return bubblewrap's arguments for namespaces and privileges, which depend on who we are."""
    common = ["--die-with-parent", "--new-session", "--as-pid-1", *NAMESPACES]
    if os.geteuid() == 0:
        kept = [word for name in KEEPER_CAPABILITIES for word in ("--cap-add", name)]
        return [*common, "--cap-drop", "ALL", *kept]
    mapped = ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    no_more = ["--disable-userns"] if can_disable_user_namespaces() else []
    return [*common, *mapped, *no_more]


def program() -> str:
    """Return where bubblewrap is; raise `Fault` when it is not installed."""
    found = shutil.which("bwrap")
    if found is None:
        raise Fault("bubblewrap (bwrap) is not installed", cause=Cause.SANDBOX)
    return found


@cache
def can_disable_user_namespaces() -> bool:
    """Say whether this bubblewrap knows `--disable-userns` (0.8 and newer)."""
    listed = subprocess.run([program(), "--help"], capture_output=True, text=True, check=False)
    return "--disable-userns" in listed.stdout


def _keeper_pid(report: bytes, process: subprocess.Popen[bytes], read_log: Callable[[float], bytes]) -> int:
    """Read the host's id of process 1 inside from bubblewrap's report."""
    try:
        return int(json.loads(report)["child-pid"])
    except (ValueError, KeyError) as exc:
        process.kill()
        process.wait()
        why = read_log(1.0)[-500:].decode(errors="replace").strip()
        raise Fault(f"bubblewrap could not create the sandbox: {why}", cause=Cause.SANDBOX) from exc
