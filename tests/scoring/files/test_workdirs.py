"""Folders of evaluations: gone afterwards, whatever happened; and where commands have theirs."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scoring.errors import Fault
from scoring.files.workdirs import own_root, workdir


def test_a_workdir_is_fresh_and_removed(tmp_path: Path) -> None:
    with workdir(tmp_path / "work") as folder:
        (folder / "package").mkdir()
        assert folder.is_dir()

    assert list((tmp_path / "work").iterdir()) == []


def test_a_workdir_is_removed_after_an_interrupt(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), workdir(tmp_path):
        raise KeyboardInterrupt

    assert list(tmp_path.iterdir()) == []


def test_a_running_processs_folder_is_left_alone(tmp_path: Path) -> None:
    with workdir(tmp_path) as mine, workdir(tmp_path) as other:
        assert mine.is_dir()
        assert other.is_dir()


def test_a_killed_processs_folder_is_removed_by_the_next(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from scoring.files.workdirs import workdir\n"
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


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_of_a_users_commands_is_theirs_alone(temporary: Path) -> None:
    root = own_root()

    assert root.parent == temporary
    assert (root.stat().st_uid, root.stat().st_mode & 0o777) == (os.geteuid(), 0o700)
    assert own_root() == root


def test_a_link_in_its_place_is_refused(temporary: Path) -> None:
    (temporary / "elsewhere").mkdir()
    (temporary / f"podium-{os.geteuid()}").symlink_to(temporary / "elsewhere")

    with pytest.raises(Fault, match="somebody else"):
        own_root()


def test_a_file_in_its_place_is_refused(temporary: Path) -> None:
    (temporary / f"podium-{os.geteuid()}").touch()

    with pytest.raises(Fault, match="set TMPDIR"):
        own_root()
