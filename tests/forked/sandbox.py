"""A sandbox for tests in which isolation is not what is tested: its children are forked from a loaded server.

A cold child spends 1.5 to 4 seconds of processor time on its imports, a forked one next to nothing. It has the
same program, keeper, limits, letter and pipes as with `--trust`, and as little isolation. That its verdicts and
scores are those of bubblewrap, `test_forked.py` and the conformance suite show.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from scoring.contracts import Kind, Letter
from scoring.sandbox import cage
from scoring.sandbox.base import Sandbox
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.pipes import open_pipe, readable
from scoring.sandbox.supervise import Started
from scoring.sandbox.unconfined import UnconfinedSandbox
from scoring.sandboxed.__main__ import modules_of

SERVER: Final = Path(__file__).with_name("server.py")
OF_ONE_RUN: Final = frozenset({"HOME", "TMPDIR", "PYTHONPATH"})
"""What of a child's environment is set when it is forked; the rest is its server's."""
LOADER_WITHOUT_TORCH: Final = "scoring.sandboxed.loaders.onnx_graph"
COLD: Final = "PODIUM_TEST_COLD"
"""An environment variable: if it is set, no test forks its children."""


def quick_sandbox() -> Sandbox:
    """Return a sandbox for whatever does not test isolation: the real one if all is to be tried with that."""
    if os.environ.get(COLD):
        return BubblewrapSandbox()
    return ForkedSandbox() if hasattr(os, "pidfd_open") else UnconfinedSandbox()


@dataclass(frozen=True)
class Forked:
    """A process that a server has forked, in the words of `subprocess.Popen`."""

    pid: int
    descriptor: int

    def poll(self) -> int | None:
        """Return None while it lives."""
        return self._ended(0)

    def wait(self, timeout: float) -> int:
        """Wait for its end; how it ended is its own to tell."""
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired("a forked keeper", timeout)
        return 0

    def kill(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)

    def _ended(self, timeout: float) -> int | None:
        return 0 if select.select([self.descriptor], [], [], timeout)[0] else None


class Server:
    """A process that follows the orders of server.py."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._lock = threading.Lock()

    def fork(self, order: Mapping[str, object], descriptors: Sequence[int]) -> Forked:
        """Give an order; return the process that follows it."""
        with self._lock:
            socket.send_fds(self._channel, [json.dumps(order).encode()], list(descriptors))
            pid, told, _, _ = socket.recv_fds(self._channel, 64, 1)
        return Forked(int(pid), told[0])

    def branch(self, module: str) -> Server:
        """Return a server that has loaded this module as well."""
        ours, theirs = _channel()
        with theirs:
            order = {"do": "branch", "module": module}
            os.close(self.fork(order, [theirs.fileno()]).descriptor)
        return Server(ours)


def kind_of(argv: Sequence[str]) -> Kind | None:
    """Return the kind of child that this command line starts; None for a program of a test's own."""
    return None if "-c" in argv else Kind.from_word(argv[argv.index("--kind") + 1])


@cache
def loaded(variables: frozenset[tuple[str, str]], kind: Kind | None) -> Server:
    """Return the server whose children have this environment, and the libraries of this kind."""
    if kind is None:
        return grown(variables)
    modules = modules_of(kind)
    # The loaders of a task have most of what they import in common, and nearly all tasks have torch.
    return (
        grown(variables, *modules) if LOADER_WITHOUT_TORCH in modules else grown(variables, "torch", *modules)
    )


@cache
def grown(variables: frozenset[tuple[str, str]], *modules: str) -> Server:
    """Return the server that has loaded these modules, branched off from the one that lacks the last."""
    if modules:
        return grown(variables, *modules[:-1]).branch(modules[-1])
    return trunk(variables)


def trunk(variables: frozenset[tuple[str, str]]) -> Server:
    """Start the server that has loaded what every child loads; it ends with this process."""
    return started(SERVER, {**dict(variables), "PYTHONPATH": str(source())})


def started(script: Path, environment: Mapping[str, str]) -> Server:
    """Start a script that serves; it ends with this process, and with it those that have branched off."""
    ours, theirs = _channel()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-s", script, str(theirs.fileno())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    for last in (ours.close, process.wait, process.kill):
        atexit.register(last)
    return Server(ours)


@cache
def source() -> Path:
    """Return a folder that holds of us what children see in the cage."""
    folder = Path(tempfile.mkdtemp(prefix="podium-"))
    atexit.register(shutil.rmtree, folder)
    (folder / "scoring").mkdir()
    for name in ("__init__.py", "contracts", "sandboxed"):
        (folder / "scoring" / name).symlink_to(cage.SOURCE / name)
    return folder


def _channel() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@dataclass(frozen=True)
class ForkedSandbox(UnconfinedSandbox):
    """Runs each job in a child that is forked. `child` is what Python would start."""

    @property
    def isolated(self) -> bool:
        """Say what bubblewrap says: tests with this sandbox are about all else."""
        return True

    @contextlib.contextmanager
    def started(
        self, plan: Mapping[str, object], letter: Letter, variables: Mapping[str, str], cwd: str
    ) -> Iterator[Started]:
        """Have a keeper forked from the server that has loaded what the job's child loads first."""
        if plan["argv"][0] != sys.executable:
            # What a server has loaded is not what is installed in another environment.
            with super().started(plan, letter, variables, cwd) as running:
                yield running
            return
        of_all = {name: value for name, value in variables.items() if name not in OF_ONE_RUN}
        of_one = {name: variables[name] for name in ("HOME", "TMPDIR")}
        server = loaded(frozenset(of_all.items()), kind_of(plan["argv"]))
        with contextlib.ExitStack() as ours:
            log, status, reply = (open_pipe(ours) for _ in range(3))
            ends = [readable(letter.to_bytes(), ours), *(pipe.writer for pipe in (log, status, reply))]
            keeper = server.fork({"do": "keep", "plan": plan, "variables": of_one, "cwd": cwd}, ends)
            ours.callback(os.close, keeper.descriptor)
            for pipe in (log, status, reply):
                pipe.close_writer()
            yield Started(
                process=keeper,
                keeper_pid=keeper.pid,
                keeper_fd=keeper.descriptor,
                log_fd=log.reader,
                status_fd=status.reader,
                reply_fd=reply.reader,
                scratch=None,
                # The server may just have been started.
                started_at=time.monotonic(),
            )
