"""Named checks that every implementation of `Sandbox` passes, those of tests included.

Each check is a program, the same story as a script for the fake, and what must come out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from scoring.contracts import Processes, Task
from scoring.errors import Fault
from scoring.sandbox import BACKENDS
from scoring.sandbox.base import MAX_REPLY_BYTES, ExitStatus, Job, Overflow, Run, Sandbox
from scoring.sandbox.fake import FakeSandbox, Scripted
from tests.forked.sandbox import ForkedSandbox
from tests.spares import AheadSandbox

# Finds its reply pipe and its outputs by the command line, so that it runs in every sandbox.
PRELUDE = """
import json, os, signal, sys, time
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
seal, outputs = json.load(sys.stdin)["seal"], given["--outputs"]
def say(line): os.write(int(given["--reply"]), line.encode() + b"\\n")
"""


@dataclass(frozen=True, kw_only=True)
class Check:
    name: str
    program: str
    script: Scripted
    status: ExitStatus
    limits: Mapping[str, object] = field(default_factory=dict)
    overflow: Overflow | None = None
    exit_code: int | None = None
    log: str = ""
    reply: bytes = b""


CHECKS = (
    Check(
        name="a run that ends well",
        program="say(seal + ' {}'); print('hello')",
        script=Scripted(reply=b"{}", log="hello\n"),
        status=ExitStatus.EXITED,
        exit_code=0,
        log="hello\n",
        reply=b"{}",
    ),
    Check(
        name="a reply without the seal",
        program="say('{}'); say(' {}'); say('x' + seal + ' {}'); say(seal)",
        script=Scripted(),
        status=ExitStatus.EXITED,
        exit_code=0,
    ),
    Check(
        name="two replies, of which nobody knows which counts",
        program="say(seal + ' {}'); say(seal + ' {}')",
        script=Scripted(),
        status=ExitStatus.EXITED,
        exit_code=0,
    ),
    Check(
        name="a reply that is cut short",
        program="os.write(int(given['--reply']), (seal + ' {}').encode())",
        script=Scripted(),
        status=ExitStatus.EXITED,
        exit_code=0,
    ),
    Check(
        name="a run that exits with a code",
        program="sys.exit(3)",
        script=Scripted(exit_code=3),
        status=ExitStatus.EXITED,
        exit_code=3,
    ),
    Check(
        name="a crash",
        program="os.kill(os.getpid(), signal.SIGSEGV)",
        script=Scripted(status=ExitStatus.CRASHED, exit_code=-11),
        status=ExitStatus.CRASHED,
        exit_code=-11,
    ),
    Check(
        name="an endless wait",
        program="time.sleep(1000)",
        script=Scripted(wall_s=2.0),
        limits={"timeout_s": 0.6},
        status=ExitStatus.TIMED_OUT,
    ),
    Check(
        name="more processor time than wall time times threads",
        program="[os.fork() for _ in range(3)]\nwhile True: pass",
        script=Scripted(cpu_s=3.0),
        limits={"timeout_s": 1.0, "threads": 1, "processes": Processes.ALLOWED},
        status=ExitStatus.TIMED_OUT,
    ),
    Check(
        name="too much memory in shared pages, which no limit on one process counts",
        program="import mmap; held = mmap.mmap(-1, 2**28)\nfor i in range(0, 2**28, 4096): held[i] = 1\n"
        "time.sleep(1000)",
        script=Scripted(peak_memory_bytes=2**28),
        limits={"max_memory_bytes": 64 * 2**20},
        status=ExitStatus.OUT_OF_MEMORY,
    ),
    Check(
        name="too much memory in page tables, of which no process's own memory tells",
        program="import mmap; held = mmap.mmap(-1, 2**36, mmap.MAP_PRIVATE, mmap.PROT_READ)\n"
        "for i in range(0, 2**36, 2**21): held[i]\ntime.sleep(1000)",
        script=Scripted(peak_memory_bytes=2**28),
        limits={"max_memory_bytes": 64 * 2**20},
        status=ExitStatus.OUT_OF_MEMORY,
    ),
    Check(
        name="too much memory in several processes, each under the limit",
        program="[os.fork() for _ in range(2)]\nheld = bytearray(os.urandom(1) * (48 * 2**20))\ntime.sleep(1000)",
        script=Scripted(peak_memory_bytes=4 * 48 * 2**20),
        limits={"max_memory_bytes": 128 * 2**20, "processes": Processes.ALLOWED},
        status=ExitStatus.OUT_OF_MEMORY,
    ),
    Check(
        name="a flood of printed text",
        program="while True: print('x' * 4096)",
        script=Scripted(log="x" * 100_000),
        limits={"max_log_bytes": 65_536},
        status=ExitStatus.TOO_MUCH_OUTPUT,
        overflow=Overflow.LOG,
    ),
    Check(
        name="a reply over its cap",
        program=f"say('x' * {MAX_REPLY_BYTES + 1})",
        script=Scripted(reply=b"x" * (MAX_REPLY_BYTES + 1)),
        status=ExitStatus.TOO_MUCH_OUTPUT,
        overflow=Overflow.REPLY,
    ),
    Check(
        name="more outputs than samples",
        program="open(outputs, 'wb').write(bytes(4 * 2 * 4 + 1))",
        script=Scripted(outputs=bytes(4 * 2 * 4 + 1)),
        status=ExitStatus.TOO_MUCH_OUTPUT,
        overflow=Overflow.OUTPUTS,
    ),
    Check(
        name="no reply",
        program="pass",
        script=Scripted(),
        status=ExitStatus.EXITED,
        exit_code=0,
    ),
)

NEEDS = {"bubblewrap": pytest.mark.sandbox, "unconfined": pytest.mark.slow}


def real(name: str, program: str) -> Sandbox:
    child = ("-c", PRELUDE + program)
    return ForkedSandbox(child) if name == "forked" else BACKENDS[name].open(child=child)


@pytest.fixture(
    params=[
        *(pytest.param(name, marks=NEEDS.get(name, ())) for name in BACKENDS),
        pytest.param("ahead", marks=pytest.mark.sandbox),
        pytest.param("forked", marks=pytest.mark.slow),
        "fake",
    ]
)
def build(request: pytest.FixtureRequest, ahead: Callable[[str], AheadSandbox]) -> Callable[[Check], Sandbox]:
    name = request.param
    if name == "fake":
        return lambda check: FakeSandbox({Task.PREDICT: (check.script,)})
    if name == "ahead":
        return lambda check: ahead(PRELUDE + check.program)
    return lambda check: real(name, check.program)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_ends_as_it_must(
    check: Check,
    build: Callable[[Check], Sandbox],
    make_job: Callable[..., Job],
    play: Callable[..., Run],
) -> None:
    job = make_job(**check.limits)

    run = play(build(check), job)

    assert (run.status, run.overflow) == (check.status, check.overflow), run.log[-1000:]
    assert run.exit_code == check.exit_code or check.exit_code is None
    assert check.log in run.log
    assert run.reply == check.reply or run.status is ExitStatus.TOO_MUCH_OUTPUT
    assert len(run.reply) <= MAX_REPLY_BYTES
    assert len(run.log) <= job.limits.max_log_bytes
    assert run.outputs.is_file()


WAITS = Check(
    name="waits",
    program="time.sleep(1000)",
    script=Scripted(ticks=100),
    status=ExitStatus.TIMED_OUT,
)


class Cancelled(Exception):
    """What a caller's `tick` raises."""


@pytest.mark.parametrize("raised", [Cancelled, KeyboardInterrupt])
def test_an_exception_from_tick_ends_the_job(
    raised: type[BaseException],
    build: Callable[[Check], Sandbox],
    make_job: Callable[..., Job],
    play: Callable[..., Run],
) -> None:
    def tick() -> None:
        raise raised

    with pytest.raises(raised):
        play(build(WAITS), make_job(), tick)


def test_tick_is_called_while_the_job_runs(
    build: Callable[[Check], Sandbox], make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    calls = []

    def third_call_ends() -> None:
        calls.append(None)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        play(build(WAITS), make_job(), third_call_ends)

    assert len(calls) == 3


KILLED = Check(
    name="killed from outside",
    program="os.kill(os.getpid(), signal.SIGKILL)",
    script=Scripted(fault="the sandbox was killed from outside"),
    status=ExitStatus.CRASHED,
)


@pytest.mark.parametrize(
    "sandbox",
    [
        pytest.param(real("unconfined", KILLED.program), id="unconfined"),
        pytest.param(real("forked", KILLED.program), id="forked"),
        pytest.param(FakeSandbox({Task.PREDICT: (KILLED.script,)}), id="fake"),
    ],
)
def test_a_kill_that_no_limit_explains_is_a_fault(
    sandbox: Sandbox, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    """In bubblewrap no entry can kill itself so; there the check is among those of death."""
    with pytest.raises(Fault):
        play(sandbox, make_job())
