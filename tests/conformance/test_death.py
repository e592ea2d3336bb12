"""When a run is over, however it ended, none of its processes is left; and its time was counted."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from scoring.contracts import Processes
from scoring.errors import Fault
from scoring.sandbox.base import ExitStatus, Job, Run, Sandbox
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.unconfined import UnconfinedSandbox

Build = Callable[[str], Sandbox]

# A daemon by the book: double fork, a session of its own, output closed. The mark is in its arguments.
DAEMON = """
import os, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        sleep = "import os, time; os.close(1); os.close(2); time.sleep(1000)"
        os.execv(sys.executable, [sys.executable, "-c", sleep, "MARK"])
    os._exit(0)
time.sleep(0.3)
"""


@pytest.fixture(
    params=[
        pytest.param(BubblewrapSandbox, marks=pytest.mark.sandbox, id="bubblewrap"),
        pytest.param(UnconfinedSandbox, marks=pytest.mark.slow, id="unconfined"),
    ]
)
def build(request: pytest.FixtureRequest) -> Build:
    return lambda program: request.param(child=("-c", program))


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


def alive(mark: str) -> list[str]:
    """Return the processes of this machine that name the mark, this one and zombies left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mark.encode() in words and int(folder.name) != os.getpid():
            found.append(folder.name)
    return found


def test_a_daemon_dies_with_its_run(
    build: Build, mark: str, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    run = play(build(DAEMON.replace("MARK", mark)), make_job(processes=Processes.ALLOWED))

    assert run.status is ExitStatus.EXITED
    assert alive(mark) == []


def test_all_die_when_the_time_is_up(
    build: Build, mark: str, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    program = DAEMON.replace("MARK", mark) + "time.sleep(1000)"

    run = play(build(program), make_job(timeout_s=0.8, processes=Processes.ALLOWED))

    assert run.status is ExitStatus.TIMED_OUT
    assert alive(mark) == []


def test_all_die_when_tick_raises(
    build: Build, mark: str, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    seen: list[str] = []

    def tick() -> None:
        seen.extend(alive(mark))
        if seen:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(build(f"# {mark}\nimport time\ntime.sleep(1000)"), make_job(), tick)

    assert seen
    assert alive(mark) == []


def test_a_fork_bomb_dies(
    build: Build, mark: str, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    bomb = f"# {mark}\nimport os\nfor _ in range(5): os.fork()\nwhile True: pass"

    run = play(build(bomb), make_job(timeout_s=0.5, processes=Processes.ALLOWED))

    assert run.status is ExitStatus.TIMED_OUT
    assert alive(mark) == []


def test_all_die_when_the_worker_is_killed(
    build: Build, mark: str, make_job: Callable[..., Job], tmp_path: Path
) -> None:
    sandbox = build(f"# {mark}\nimport time\ntime.sleep(1000)")
    job = make_job()
    worker = os.fork()
    if worker == 0:

        def die_once_it_runs() -> None:
            if alive(mark):
                os.kill(os.getpid(), signal.SIGKILL)

        sandbox.run(job, workdir=tmp_path / "work", tick=die_once_it_runs)
        os._exit(0)

    ended = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])

    assert ended == -signal.SIGKILL
    assert all_gone(mark)


def all_gone(mark: str) -> bool:
    """Wait for the kernel to end what lost its parent: it is told at once, and takes a moment."""
    deadline = time.monotonic() + 10
    while alive(mark) and time.monotonic() < deadline:
        os.sched_yield()
    return alive(mark) == []


def bubblewraps_below(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, rest = (folder / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name == "bwrap" and int(rest.split()[1]) == parent:
            found.append(int(folder.name))
    return found


@pytest.mark.sandbox
def test_killing_bubblewrap_is_a_fault_and_ends_all(
    mark: str, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    def kill_once_it_runs() -> None:
        if alive(mark):
            os.kill(bubblewraps_below(os.getpid())[0], signal.SIGKILL)

    with pytest.raises(Fault):
        play(
            BubblewrapSandbox(child=("-c", f"# {mark}\nimport time\ntime.sleep(1000)")),
            make_job(),
            kill_once_it_runs,
        )

    assert alive(mark) == []


@pytest.mark.sandbox
def test_killing_the_child_is_a_fault(
    mark: str, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    def kill_once_it_runs() -> None:
        # The newest that names the mark: the keeper's plan names it too.
        for pid in sorted(map(int, alive(mark)))[-1:]:
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(Fault):
        play(
            BubblewrapSandbox(child=("-c", f"# {mark}\nimport time\ntime.sleep(1000)")),
            make_job(),
            kill_once_it_runs,
        )

    assert alive(mark) == []


BURN_S = 0.6
BURN = f"""
import os, signal, time
def burn():
    end = time.process_time() + {BURN_S}
    while time.process_time() < end: pass
def burn_in_a_child():
    # Returns when the child is gone, and does not reap it.
    reader, writer = os.pipe()
    if os.fork() == 0:
        burn()
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("burn()", id="the child itself"),
        pytest.param("burn_in_a_child(); os.wait()", id="a process that is waited for"),
        pytest.param("burn_in_a_child()", id="a process that nobody waits for"),
    ],
)
def test_processor_time_is_counted_of(
    program: str, build: Build, make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    run = play(build(BURN + program), make_job(processes=Processes.ALLOWED))

    # Above comes the start of Python, twice.
    assert BURN_S * 0.95 <= run.cpu_s <= BURN_S + 0.6


def test_without_a_filter_processor_time_is_seen_of_a_process_that_is_reaped_unseen(
    make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    program = BURN + "signal.signal(signal.SIGCHLD, signal.SIG_IGN); burn_in_a_child()"

    run = play(UnconfinedSandbox(child=("-c", program)), make_job())

    # Known by samples alone, so all but the last tenths of a second.
    assert BURN_S / 3 <= run.cpu_s <= BURN_S + 0.6


@pytest.mark.sandbox
def test_processor_time_is_counted_of_processes_of_a_few_milliseconds_that_nobody_waits_for(
    make_job: Callable[..., Job], play: Callable[..., Run]
) -> None:
    program = BURN.replace(f"+ {BURN_S}", f"+ {BURN_S / 60}") + (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\nfor _ in range(60): burn_in_a_child()"
    )

    run = play(
        BubblewrapSandbox(child=("-c", program)), make_job(processes=Processes.ALLOWED, max_processes=100)
    )

    assert run.cpu_s >= BURN_S * 0.95
