"""Watch one started child from outside: read its pipes, enforce its limits, and make sure that all of it dies.

Trusts the keeper's status lines (see keeper.py) and what the kernel says; nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from scoring.errors import Cause, Fault
from scoring.sandbox.base import MAX_REPLY_BYTES, MAX_TEMPORARY_FILES, ExitStatus, Job, Overflow
from scoring.sandbox.control_group import ControlGroup
from scoring.sandbox.family import Family

SAMPLE_EVERY_S: Final = 0.1
TICK_EVERY_S: Final = 0.5
READ_BYTES: Final = 2**16
# How long the keeper may take to end its family, and the kernel to end the namespace: it frees what lies in
# /tmp too, and a million files there take a busy machine a while.
MERCY_S: Final = 2.0
DEATH_S: Final = 120.0
# Use above this share of the limit explains a SIGKILL that was not ours.
NEAR: Final = 0.9


@dataclass(frozen=True, kw_only=True)
class Started:
    """A keeper that was started: our child process, its host process id, and our ends of its pipes.

    `scratch` is where inside a memory file system of its own is mounted, whose content counts as memory.
    `group` is the control group of all its processes, where there is one.
    """

    process: subprocess.Popen[bytes]
    keeper_pid: int
    keeper_fd: int | None
    log_fd: int
    status_fd: int
    reply_fd: int
    scratch: str | None
    started_at: float
    group: ControlGroup | None = None


@dataclass(frozen=True, kw_only=True)
class ProcessEnding:
    """How a run ended, measured from outside."""

    status: ExitStatus
    overflow: Overflow | None
    exit_code: int | None
    log: bytes
    reply: bytes
    wall_s: float
    cpu_s: float
    peak_memory_bytes: int


@dataclass
class _Sink:
    """What came down one pipe; past `most` bytes it is full and takes no more."""

    most: int | None = None
    content: bytearray = field(default_factory=bytearray)

    def take(self, chunk: bytes) -> None:
        if not self.is_full:
            self.content.extend(chunk)

    @property
    def is_full(self) -> bool:
        return self.most is not None and len(self.content) > self.most


@dataclass
class _Watch:
    started: Started
    job: Job
    family: Family
    log: _Sink
    reply: _Sink
    status: _Sink = field(default_factory=_Sink)
    open_fds: dict[int, _Sink] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_memory_bytes: int = 0
    files: int = 0

    def look(self) -> ExitStatus | None:
        """Sample the family; return the limit that it broke, if any."""
        if self.wall_s > self.job.timeout_s:
            return ExitStatus.TIMED_OUT
        if not self.has_started:
            # Until the inside stands, its /tmp is still the host's.
            return None
        sample = self.family.sample()
        memory = sample.memory_bytes
        self.cpu_s = max(self.cpu_s, sample.cpu_s)
        self.ask_group()
        limit = self.job.limits.max_memory_bytes
        if memory > limit:
            # Forked processes share pages, which the quick sum counts twice.
            memory = self.family.exact_memory_bytes()
        if self.started.group is not None:
            memory = max(memory, self.started.group.memory_bytes())
        self.peak_memory_bytes = max(self.peak_memory_bytes, memory)
        if memory > limit:
            return ExitStatus.OUT_OF_MEMORY
        self.files = sample.files
        if self.files > MAX_TEMPORARY_FILES:
            return ExitStatus.TOO_MUCH_OUTPUT
        return ExitStatus.TIMED_OUT if self.cpu_s > self.cpu_limit_s else None

    def ask_group(self) -> None:
        """Add what the control group has seen, processes too that came and went between two looks."""
        if self.started.group is not None:
            self.cpu_s = max(self.cpu_s, self.started.group.cpu_s())

    @property
    def wall_s(self) -> float:
        return time.monotonic() - self.started.started_at

    @property
    def cpu_limit_s(self) -> float:
        return self.job.timeout_s * self.job.limits.threads

    def read(self, timeout_s: float) -> None:
        """Read what the pipes hold, waiting at most `timeout_s` for something to come."""
        with selectors.DefaultSelector() as ready:
            for fd in self.open_fds:
                ready.register(fd, selectors.EVENT_READ)
            events = ready.select(timeout_s)
        for key, _ in events:
            chunk = os.read(key.fd, READ_BYTES)
            self.open_fds[key.fd].take(chunk)
            if not chunk:
                del self.open_fds[key.fd]

    @property
    def received(self) -> tuple[int, ...]:
        """Return what changes when something was read."""
        return len(self.open_fds), *(len(sink.content) for sink in (self.log, self.reply, self.status))

    @property
    def overflow(self) -> Overflow | None:
        """Return which pipe brought more than its cap, if any."""
        if self.log.is_full:
            return Overflow.LOG
        return Overflow.REPLY if self.reply.is_full else None

    @property
    def has_started(self) -> bool:
        return b"started" in self.status.content

    @property
    def is_over(self) -> bool:
        # Killed while it sets up, bubblewrap leaves the inside running: its end counts as well.
        bubblewrap_is_gone = self.started.process.poll() is not None
        return bubblewrap_is_gone or self.started.status_fd not in self.open_fds


def supervise(started: Started, job: Job, tick: Callable[[], None]) -> ProcessEnding:
    """Wait for the end, or bring it about; every process is dead when this returns or raises."""
    watch = _Watch(
        started,
        job,
        Family(started.keeper_pid, started.scratch),
        log=_Sink(job.limits.max_log_bytes),
        reply=_Sink(MAX_REPLY_BYTES),
    )
    watch.open_fds = {
        started.log_fd: watch.log,
        started.status_fd: watch.status,
        started.reply_fd: watch.reply,
    }
    try:
        broken = _follow(watch, tick)
        wall_s = watch.wall_s
    finally:
        # Also on KeyboardInterrupt, and on whatever `tick` raises.
        _end(watch)
    watch.ask_group()
    _drain(watch)
    return _ending(watch, broken, wall_s)


def _follow(watch: _Watch, tick: Callable[[], None]) -> ExitStatus | None:
    next_sample = next_tick = 0.0
    while not watch.is_over:
        now = time.monotonic()
        if now >= next_tick:
            tick()
            next_tick = now + TICK_EVERY_S
        if now >= next_sample:
            broken = watch.look()
            if broken is not None:
                return broken
            next_sample = now + SAMPLE_EVERY_S
        watch.read(SAMPLE_EVERY_S)
        if watch.overflow:
            return ExitStatus.TOO_MUCH_OUTPUT
    return None


def _drain(watch: _Watch) -> None:
    """Read what is left in the pipes; nobody writes any more."""
    while watch.open_fds and not watch.overflow:
        before = watch.received
        watch.read(0)
        if before == watch.received:
            return


def _end(watch: _Watch) -> None:
    """Let the keeper end its family and report, then kill what is left."""
    started = watch.started
    if watch.has_started:
        # From here on the keeper listens: it ends its family and reports exact processor time.
        _signal_keeper(started, signal.SIGTERM)
        _await_keeper(watch)
    kill(started)


def kill(started: Started) -> None:
    """Kill the keeper and all below it at once; return when they are dead, else raise `Fault`."""
    _signal_keeper(started, signal.SIGKILL)
    started.process.kill()
    try:
        started.process.wait(DEATH_S)
    except subprocess.TimeoutExpired as exc:
        raise Fault("the sandbox survived SIGKILL") from exc
    # The kernel reports process 1 of a namespace dead only when every process in it is dead.
    if started.keeper_fd is not None and not select.select([started.keeper_fd], [], [], DEATH_S)[0]:
        raise Fault("sandbox processes survived SIGKILL")


def _await_keeper(watch: _Watch) -> None:
    deadline = time.monotonic() + MERCY_S
    while time.monotonic() < deadline and watch.started.process.poll() is None:
        if watch.open_fds:
            # A family that blocks on a full pipe still dies, but the keeper's report must not block.
            watch.read(0.02)
        with contextlib.suppress(subprocess.TimeoutExpired):
            watch.started.process.wait(0.01)


def _signal_keeper(started: Started, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        if started.keeper_fd is not None:
            signal.pidfd_send_signal(started.keeper_fd, number)
        elif started.process.poll() is None:
            started.process.send_signal(number)


def _ending(watch: _Watch, broken: ExitStatus | None, wall_s: float) -> ProcessEnding:
    lines = _status_lines(bytes(watch.status.content))
    if "failed" in lines or "started" not in lines:
        # Nothing hostile has run, so the log is bubblewrap's or the keeper's own.
        reason = lines.get("failed") or bytes(watch.log.content[-500:]).decode(errors="replace").strip()
        raise Fault(f"the sandbox could not be set up: {reason}", cause=Cause.SANDBOX)
    ended = lines.get("ended")
    ended = ended if isinstance(ended, dict) else None
    status = broken or _status_of(watch, ended)
    exit_code = None
    if broken is None and ended is not None:
        exit_code = -ended["signal"] if ended["signal"] else ended["exit"]
    return ProcessEnding(
        status=status,
        overflow=_overflow_of(watch) if status is ExitStatus.TOO_MUCH_OUTPUT else None,
        exit_code=exit_code,
        log=bytes(watch.log.content[: watch.job.limits.max_log_bytes]),
        reply=bytes(watch.reply.content),
        wall_s=wall_s,
        # The keeper's number is exact. Unconfined, it misses children that were reaped unseen; samples do not.
        cpu_s=max(watch.cpu_s, ended["cpu_s"] if ended else 0.0),
        peak_memory_bytes=watch.peak_memory_bytes,
    )


def _overflow_of(watch: _Watch) -> Overflow | None:
    return Overflow.FILES if watch.files > MAX_TEMPORARY_FILES else watch.overflow


def _status_lines(status: bytes) -> dict[str, object]:
    merged: dict[str, object] = {}
    for line in status.splitlines():
        merged.update(json.loads(line))
    return merged


def _status_of(watch: _Watch, ended: dict[str, float] | None) -> ExitStatus:
    """Name the end of a run that we did not bring about."""
    near_memory = watch.peak_memory_bytes > NEAR * watch.job.limits.max_memory_bytes
    near_cpu = watch.cpu_s > NEAR * watch.cpu_limit_s
    if ended is not None and ended["signal"] == signal.SIGXCPU:
        return ExitStatus.TIMED_OUT
    if ended is None or ended["stopped"] or ended["signal"] == signal.SIGKILL:
        # Killed by someone else. The kernel kills at hard limits; whoever else did it, it was not
        # the entry's fault. An entry that kills itself so is tried again, and given up after three.
        if near_memory:
            return ExitStatus.OUT_OF_MEMORY
        if near_cpu:
            return ExitStatus.TIMED_OUT
        raise Fault("the sandbox was killed from outside")
    if watch.overflow:
        return ExitStatus.TOO_MUCH_OUTPUT
    return ExitStatus.CRASHED if ended["signal"] else ExitStatus.EXITED
