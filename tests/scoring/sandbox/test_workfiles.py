import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from scoring.contracts import Request, Task
from scoring.errors import Fault
from scoring.sandbox.base import Job
from scoring.sandbox.workfiles import clean, hand_over, open_written, prepare

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_work_folder_is_closed_to_others(make_job: Callable[[Task], Job], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir(mode=0o755)

    files = prepare(make_job(Task.PREDICT), work)

    assert mode(work) == 0o700
    assert mode(files.outputs) == 0o600


def test_leftovers_of_an_earlier_run_are_gone(make_job: Callable[[Task], Job], tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "outputs.bin").symlink_to("/etc/passwd")

    files = prepare(make_job(Task.PREDICT), tmp_path / "work")

    assert not files.outputs.is_symlink()
    assert files.outputs.read_bytes() == b""


def test_the_request_is_what_the_child_reads(make_job: Callable[[Task], Job], tmp_path: Path) -> None:
    job = make_job(Task.MEASURE)

    files = prepare(job, tmp_path / "work")

    assert Request.from_json(files.request.read_text()) == job.request


@needs_root
def test_the_run_s_user_owns_the_outputs_and_may_read_the_rest(
    make_job: Callable[[Task], Job], tmp_path: Path
) -> None:
    job = make_job(Task.PREDICT)
    job.package.chmod(0o700)
    (job.package / "model.py").write_text("")
    (job.package / "model.py").chmod(0o600)
    files = prepare(job, tmp_path / "work")

    hand_over(files, 1_900_000_001)

    assert (files.outputs.stat().st_uid, mode(files.outputs)) == (1_900_000_001, 0o600)
    assert (mode(job.package), mode(job.package / "model.py")) == (0o755, 0o644)
    assert mode(tmp_path / "work") == 0o700


@needs_root
def test_a_link_in_a_package_opens_nothing_else(make_job: Callable[[Task], Job], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("")
    secret.chmod(0o600)
    job = make_job(Task.PREDICT)
    (job.package / "link").symlink_to(secret)

    hand_over(prepare(job, tmp_path / "work"), 1_900_000_001)

    assert mode(secret) == 0o600


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"two\r\nlines\tand a tab", "two\nlines\tand a tab"),
        (b"\x1b]0;title\x07shown", "shown"),
        (b"\x1b[1;31mred\x1b[0m and\x1b[2K plain", "red and plain"),
        (b"cut off \x1b[1;3", "cut off "),
        (b"\x1b]" + b"a" * 300, "a" * 100),
        (b"\x1bc", "�c"),
        (b"nul\0", "nul�"),
        (b"\xff", "�"),
        ("\x9b31m".encode(), "�31m"),
    ],
)
def test_printed_bytes_become_harmless_text(printed: bytes, shown: str) -> None:
    assert clean(printed) == shown


def test_a_file_that_the_entry_closed_to_its_owner_is_opened(tmp_path: Path) -> None:
    (tmp_path / "outputs.bin").write_bytes(b"rows")
    (tmp_path / "outputs.bin").chmod(0)

    with open_written(tmp_path / "outputs.bin") as file:
        assert file.read() == b"rows"

    assert mode(tmp_path / "outputs.bin") == 0o600


def test_a_pipe_in_a_file_s_place_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "outputs.bin")

    with pytest.raises(Fault):
        open_written(tmp_path / "outputs.bin")


def test_a_file_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Fault):
        open_written(tmp_path / "outputs.bin")
