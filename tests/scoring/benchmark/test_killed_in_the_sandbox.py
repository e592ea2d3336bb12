"""A real run that is killed twice, in a chunk of each pass, ends as one that nobody touched."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scoring.benchmark.killing import KillingSandbox, play_augmented, write_entry_and_data
from tests.scoring.benchmark.playing import kept

SOURCE = Path(__file__).parents[3]


def play_until_killed(root: Path, results_dir: Path, *, killed_in: int) -> int:
    program = [sys.executable, "-m", "tests.scoring.benchmark.killing", root, results_dir, str(killed_in)]
    return subprocess.run(program, cwd=SOURCE, start_new_session=True).returncode


def finished_chunks(folder: Path) -> int:
    return len(list((folder / "checkpoint").glob("*/chunk-*.json")))


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_run_killed_in_both_passes_gives_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    write_entry_and_data(tmp_path)
    play_augmented(tmp_path, whole, KillingSandbox())

    assert play_until_killed(tmp_path, cut, killed_in=1) == -signal.SIGKILL
    assert finished_chunks(cut) == 1
    assert play_until_killed(tmp_path, cut, killed_in=1) == -signal.SIGKILL
    assert finished_chunks(cut) == 2
    last = KillingSandbox()
    play_augmented(tmp_path, cut, last)

    assert last.predictions == 1
    assert kept(cut) == kept(whole)
