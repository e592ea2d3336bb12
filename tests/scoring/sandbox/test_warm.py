"""Sandboxes started ahead: what waits, for whom, how long, and that each is used once."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from scoring.contracts import Format, Kind, RunLimits, Task
from scoring.files.workdirs import workdir
from scoring.sandbox import cage, warm
from scoring.sandbox.base import ExitStatus, Job, Run
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.limits import limits_of_a_job
from scoring.sandbox.trial import trial_job
from scoring.sandbox.warm import SPARE_BYTES, WarmSandbox
from tests.spares import WAIT

pytestmark = pytest.mark.sandbox

# Looks around before its turn, and leaves a mark that a second job would find.
PROGRAM = """
import os
before = sorted(os.listdir('/package')) + sorted(os.listdir('/given'))
open('/tmp/mine', 'a').write('x')
print('it waits', flush=True)
"""
TELL = """
print(json.dumps({
    'before': before,
    'after': sorted(os.listdir('/package')) + sorted(os.listdir('/given')),
    'jobs': len(open('/tmp/mine').read()),
    'limits': {name: resource.getrlimit(getattr(resource, name))[1] for name in ('RLIMIT_CPU', 'RLIMIT_FSIZE')},
    'request': json.load(open('/given/request.json'))['samples'],
}))
"""
PREDICT = Kind(task=Task.PREDICT, format=Format.CVPR_ZIP)
COUNT = Kind(task=Task.COUNT, format=Format.CVPR_ZIP, captured=True)
MEASURE = Kind(task=Task.MEASURE, format=Format.ONNX)
PLENTY = 2**60


class Counting(BubblewrapSandbox):
    """Counts the jobs that it was started for, and those that came to a spare by way of it."""

    def __init__(self) -> None:
        super().__init__(child=("-c", PROGRAM + WAIT + TELL))

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        """Start for a job, with the program's marker in its log."""
        return replace(super().run(job, workdir=workdir, tick=tick), log="started for it")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    made = trial_job(tmp_path)
    (made.package / "nets").mkdir()
    (made.package / "nets" / "model.py").write_text("")
    return made


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., WarmSandbox]]:
    made = []

    def build(*, free_bytes: int = PLENTY, most: int = 6) -> WarmSandbox:
        folder = partial(workdir, tmp_path / "spares")
        made.append(WarmSandbox(Counting(), folder, most=most, free_bytes=lambda: free_bytes))
        return made[-1]

    yield build
    for sandbox in made:
        sandbox.close()


def play(sandbox: WarmSandbox, job: Job, folder: Path) -> Run:
    run = sandbox.run(job, workdir=folder / "work", tick=lambda: None)
    assert run.status is ExitStatus.EXITED, run.log
    return run


def told(run: Run) -> dict[str, object]:
    content: dict[str, object] = json.loads(run.log.removeprefix("it waits\n"))
    return content


def was_started_for_it(run: Run) -> bool:
    return run.log == "started for it"


def waiting(sandbox: WarmSandbox) -> list[Kind]:
    return [spare.wanted[0] for spare in sandbox._spares]


def test_an_entry_and_its_inputs_appear_when_it_is_their_turn(
    make: Callable[..., WarmSandbox], job: Job, tmp_path: Path
) -> None:
    sandbox = make()
    sandbox.expect([job.kind], job.limits)
    assert select.select([sandbox._spares[0].opened.running.log_fd], [], [], 60.0)[0]

    found = told(play(sandbox, job, tmp_path))

    assert found["before"] == []
    assert found["after"] == ["nets", "inputs.npy", "request.json"]
    assert found["request"] == job.request.samples


def test_the_limits_of_the_job_hold(make: Callable[..., WarmSandbox], job: Job, tmp_path: Path) -> None:
    sandbox = make()
    sandbox.expect([job.kind], job.limits)
    later = replace(job, timeout_s=7.0, limits=replace(job.limits, max_file_bytes=12_345_678))

    found = told(play(sandbox, later, tmp_path))

    assert found["limits"] == limits_of_a_job(later)
    assert found["limits"] != limits_of_a_job(job)


def test_a_spare_is_used_once(make: Callable[..., WarmSandbox], job: Job, tmp_path: Path) -> None:
    sandbox = make()
    sandbox.expect([job.kind, job.kind], job.limits)

    first, second = (told(play(sandbox, job, tmp_path)) for _ in range(2))
    third = play(sandbox, job, tmp_path)

    assert first["jobs"] == second["jobs"] == 1
    assert was_started_for_it(third)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_memory_bytes": 2**30},
        {"max_tmp_bytes": 2**20},
        {"max_processes": 17},
        {"threads": 1},
    ],
)
def test_a_spare_with_other_limits_is_left(
    changes: dict[str, int], make: Callable[..., WarmSandbox], job: Job, tmp_path: Path
) -> None:
    sandbox = make()
    sandbox.expect([job.kind], replace(job.limits, **changes))

    assert was_started_for_it(play(sandbox, job, tmp_path))


def test_a_spare_of_another_kind_is_left(make: Callable[..., WarmSandbox], job: Job, tmp_path: Path) -> None:
    sandbox = make()
    sandbox.expect([COUNT, MEASURE], job.limits)

    assert was_started_for_it(play(sandbox, job, tmp_path))
    assert waiting(sandbox) == [COUNT, MEASURE]


def test_a_timed_run_is_started_for_its_job(
    make: Callable[..., WarmSandbox], job: Job, tmp_path: Path
) -> None:
    sandbox = make()
    timed = replace(job, request=replace(job.request, task=Task.LATENCY))
    sandbox.expect([timed.kind], job.limits)

    assert was_started_for_it(play(sandbox, timed, tmp_path))


def test_what_an_evaluation_used_waits_for_the_next_one(
    make: Callable[..., WarmSandbox], job: Job, tmp_path: Path
) -> None:
    sandbox = make()
    for task in (Task.MEASURE, Task.PREDICT, Task.PREDICT):
        play(sandbox, replace(job, request=replace(job.request, task=task)), tmp_path)
    sandbox.refill()

    assert sorted(kind.task for kind in waiting(sandbox)) == [Task.MEASURE, Task.PREDICT, Task.PREDICT]


def test_kinds_that_were_used_before_wait_too_while_there_is_room(
    make: Callable[..., WarmSandbox], job: Job, tmp_path: Path
) -> None:
    sandbox = make(most=2)
    for task in (Task.MEASURE, Task.COUNT, Task.PREDICT):
        play(sandbox, replace(job, request=replace(job.request, task=task)), tmp_path)
        sandbox.refill()

    assert sorted(kind.task for kind in waiting(sandbox)) == [Task.COUNT, Task.PREDICT]


def test_more_than_may_wait_are_not_started(make: Callable[..., WarmSandbox]) -> None:
    sandbox = make(most=2)

    sandbox.expect([MEASURE], RunLimits())
    sandbox.expect([COUNT, PREDICT, PREDICT], RunLimits())

    assert waiting(sandbox) == [COUNT, PREDICT]


def test_none_waits_where_none_may(make: Callable[..., WarmSandbox], job: Job, tmp_path: Path) -> None:
    sandbox = make(most=0)
    sandbox.expect([job.kind], job.limits)

    assert was_started_for_it(play(sandbox, job, tmp_path))


@pytest.mark.parametrize(("room", "kept"), [(0, 1), (-1, 0)])
def test_none_waits_where_an_entry_would_lack_the_memory(
    room: int, kept: int, make: Callable[..., WarmSandbox], job: Job
) -> None:
    sandbox = make(free_bytes=job.limits.max_memory_bytes + SPARE_BYTES + room)

    sandbox.expect([job.kind], job.limits)

    assert len(waiting(sandbox)) == kept


def test_a_spare_of_one_environment_serves_no_other(
    make: Callable[..., WarmSandbox], job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another name for the same packages.
    monkeypatch.setattr(cage, "why_not_here", lambda name: "")
    monkeypatch.setattr(cage, "home_of", lambda name: Path(sys.prefix))
    other = replace(job, request=replace(job.request, environment="own-1.0"))
    sandbox = make()
    sandbox.expect([job.kind, other.kind], job.limits)

    assert not was_started_for_it(play(sandbox, other, tmp_path))
    assert waiting(sandbox) == [job.kind]
    assert was_started_for_it(play(sandbox, other, tmp_path))
    assert not was_started_for_it(play(sandbox, job, tmp_path))


def test_a_spare_that_died_is_replaced(make: Callable[..., WarmSandbox], job: Job, tmp_path: Path) -> None:
    sandbox = make()
    sandbox.expect([job.kind], job.limits)
    running = sandbox._spares[0].opened.running
    os.kill(running.keeper_pid, signal.SIGKILL)
    running.process.wait()

    assert was_started_for_it(play(sandbox, job, tmp_path))
    assert list((tmp_path / "spares").iterdir()) == []


def test_a_spare_with_packages_that_were_replaced_meanwhile_is_ended(
    make: Callable[..., WarmSandbox], job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = make()
    sandbox.expect([job.kind], job.limits)
    monkeypatch.setattr(warm, "installed_environment", lambda: {"torch": "99.0"})

    assert was_started_for_it(play(sandbox, job, tmp_path))


def test_files_that_cannot_be_linked_are_bound_by_a_sandbox_of_their_own(
    make: Callable[..., WarmSandbox], job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_file_system(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    sandbox = make()
    sandbox.expect([job.kind], job.limits)
    monkeypatch.setattr(Path, "hardlink_to", other_file_system)

    assert was_started_for_it(play(sandbox, job, tmp_path))
    assert waiting(sandbox) == []


def test_a_sandbox_that_cannot_be_started_ahead_is_no_fault(
    make: Callable[..., WarmSandbox], job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = make()
    with monkeypatch.context() as broken:
        broken.setenv("PATH", str(tmp_path))
        sandbox.expect([job.kind], job.limits)

    assert was_started_for_it(play(sandbox, job, tmp_path))


def test_nothing_is_left_after_closing(make: Callable[..., WarmSandbox], job: Job, tmp_path: Path) -> None:
    sandbox = make()
    sandbox.expect([job.kind, job.kind], job.limits)
    kept = [os.pidfd_open(spare.opened.running.keeper_pid) for spare in sandbox._spares]

    sandbox.close()

    # A descriptor becomes readable when its process has ended.
    assert sorted(select.select(kept, [], [], 0)[0]) == sorted(kept)
    assert len(kept) == 2
    assert list((tmp_path / "spares").iterdir()) == []


def test_spares_die_with_the_process_that_keeps_them(job: Job, tmp_path: Path) -> None:
    """Killed, it cannot close them."""
    program = f"""
import os, select, signal
from functools import partial
from pathlib import Path
from scoring.contracts import Kind, RunLimits
from scoring.files.workdirs import workdir
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.warm import WarmSandbox
sandbox = WarmSandbox(
    BubblewrapSandbox(child=("-c", "import sys; sys.stdin.read()")),
    partial(workdir, Path({str(tmp_path)!r}) / "spares"),
    free_bytes=lambda: 2**60,
)
sandbox.expect([Kind.from_word({job.kind.to_word()!r})], RunLimits())
running = sandbox._spares[0].opened.running
select.select([running.status_fd], [], [])
print(running.keeper_pid, flush=True)
signal.pause()
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as out:
        spare = os.pidfd_open(int(out.readline()))
        process.kill()
        process.wait()

        assert select.select([spare], [], [], 60.0)[0]
        os.close(spare)


def test_memory_is_told_by_the_kernel() -> None:
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")

    assert 0 < warm.available_bytes() <= pages * page_bytes
