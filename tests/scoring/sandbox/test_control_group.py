"""Control groups: on a folder that looks like one, and for real where the host lets us make one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoring.sandbox import bubblewrap, control_group
from scoring.sandbox.base import ExitStatus
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.control_group import ControlGroup, place_of_groups
from scoring.sandbox.trial import PROGRAM, trial_job

MIB = 2**20
CHILDREN, CHILD_S = 20, 0.01
SHORT_CHILDREN = f"""
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range({CHILDREN}):
    if os.fork() == 0:
        while time.process_time() < {CHILD_S}:
            pass
        os._exit(0)
try:
    os.wait()
except ChildProcessError:
    pass
"""


def proc_of(folder: Path, *, path: str, version: str = "cgroup2") -> Path:
    """Write what /proc tells of where groups are mounted, and of the group that we are in."""
    proc = folder / "proc"
    proc.mkdir()
    (proc / "mountinfo").write_text(
        f"22 1 0:21 / /proc rw - proc proc rw\n30 1 0:26 / {folder}/groups rw,relatime - {version} group rw\n"
    )
    (proc / "cgroup").write_text(f"4:memory:/elsewhere\n0::{path}\n")
    own = folder / "groups" / path.lstrip("/")
    own.mkdir(parents=True)
    for group in (own, own.parent):
        (group / "cgroup.controllers").write_text("cpu memory pids\n")
        (group / "cgroup.subtree_control").write_text("")
    return proc


def test_groups_are_made_below_our_own(tmp_path: Path) -> None:
    place = place_of_groups(proc_of(tmp_path, path="/system.slice/worker.service"))

    assert place == tmp_path / "groups/system.slice/worker.service"
    assert (place / "cgroup.subtree_control").read_text() == "+memory"


def test_groups_are_made_beside_our_own_where_systemd_left_the_one_above_to_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_group, "_is_left_to_us", lambda folder: folder.name == "worker.service")

    place = place_of_groups(proc_of(tmp_path, path="/system.slice/worker.service/main"))

    assert place == tmp_path / "groups/system.slice/worker.service"


def test_groups_that_a_killed_worker_left_are_removed_and_no_others(tmp_path: Path) -> None:
    proc = proc_of(tmp_path, path="/worker.service")
    own = tmp_path / "groups/worker.service"
    gone = subprocess.Popen(["true"])
    gone.wait()
    left, kept = own / f"podium-{gone.pid}-0a1b2c3d", own / f"podium-{os.getpid()}-0a1b2c3d"
    left.mkdir()
    kept.mkdir()

    place_of_groups(proc)

    assert (left.exists(), kept.exists()) == (False, True)


def test_the_first_version_of_control_groups_is_not_read(tmp_path: Path) -> None:
    assert place_of_groups(proc_of(tmp_path, path="/", version="cgroup")) is None


def test_a_group_tells_processor_time_and_the_memory_that_stays(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n")
    (tmp_path / "memory.stat").write_text(
        f"anon {4 * MIB}\nfile {900 * MIB}\nkernel {3 * MIB}\nshmem {2 * MIB}\nsock {MIB}\nslab_reclaimable {MIB}\n"
    )
    (tmp_path / "memory.swap.current").write_text(f"{5 * MIB}\n")

    group = ControlGroup(tmp_path)

    assert (group.cpu_s(), group.memory_bytes()) == (2.5, (4 + 3 + 2 + 1 - 1 + 5) * MIB)


def test_a_group_without_controllers_adds_nothing(tmp_path: Path) -> None:
    group = ControlGroup(tmp_path)

    assert (group.cpu_s(), group.memory_bytes()) == (0, 0)


def test_what_cannot_enter_its_group_runs_all_the_same(tmp_path: Path) -> None:
    command = ControlGroup(tmp_path / "gone").entered_by([sys.executable, "-c", "print('ran')"])

    ended = subprocess.run(command, capture_output=True, text=True, check=True)

    assert (ended.stdout, ended.stderr) == ("ran\n", "")


def test_where_no_group_can_be_made_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_group, "place_of_groups", lambda: tmp_path / "not there")

    with control_group.control_group() as group:
        assert group is None


def test_children_that_nobody_waited_for_are_in_the_time_of_a_real_group() -> None:
    with control_group.control_group() as group:
        if group is None or not (group.folder / "cpu.stat").exists():
            pytest.skip("this host lets us make no control group of the second version")
        subprocess.run(group.entered_by([sys.executable, "-S", "-c", SHORT_CHILDREN]), check=True)

        assert group.cpu_s() >= CHILDREN * CHILD_S
        folder = group.folder

    assert not folder.exists()


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("file", "told", "status"),
    [
        ("cpu.stat", "usage_usec 900000000000\n", ExitStatus.TIMED_OUT),
        ("memory.stat", f"kernel {2**40}\n", ExitStatus.OUT_OF_MEMORY),
    ],
)
def test_a_run_is_held_to_what_its_group_tells(
    file: str, told: str, status: ExitStatus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "group"
    group.mkdir()
    (group / file).write_text(told)

    @contextlib.contextmanager
    def made() -> Iterator[ControlGroup]:
        yield ControlGroup(group)

    monkeypatch.setattr(bubblewrap, "control_group", made)
    sandbox = BubblewrapSandbox(child=("-c", f"{PROGRAM}\nimport time\ntime.sleep(60)"))

    run = sandbox.run(trial_job(tmp_path), workdir=tmp_path / "work", tick=lambda: None)

    assert run.status is status
