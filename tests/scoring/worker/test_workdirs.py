"""Folders of evaluations: gone afterwards, whatever happened."""

import subprocess
import sys
from pathlib import Path

import pytest

from scoring.worker.workdirs import workdir


def test_a_workdir_is_fresh_and_removed(tmp_path: Path) -> None:
    with workdir(tmp_path / "work") as folder:
        (folder / "package").mkdir()
        assert folder.is_dir()

    assert list((tmp_path / "work").iterdir()) == []


def test_a_workdir_is_removed_after_an_interrupt(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), workdir(tmp_path):
        raise KeyboardInterrupt

    assert list(tmp_path.iterdir()) == []


def test_a_running_workers_folder_is_left_alone(tmp_path: Path) -> None:
    with workdir(tmp_path) as mine, workdir(tmp_path) as other:
        assert mine.is_dir()
        assert other.is_dir()


def test_a_killed_workers_folder_is_removed_by_the_next(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from scoring.worker.workdirs import workdir\n"
        "with workdir(Path(sys.argv[1])) as folder: (folder / 'left').touch(); os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=Path.cwd())
    (leftover,) = tmp_path.iterdir()

    with workdir(tmp_path):
        assert not leftover.exists()
    assert killed.returncode == -9


def test_no_handle_stays_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(3):
        with workdir(tmp_path):
            pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before
