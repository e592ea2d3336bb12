"""Outputs are written into a file that the parent made: from its beginning, and with nothing of before behind them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scoring.sandboxed.channel import LENGTH_BYTES, Channel, OutFile


def test_what_was_in_the_file_before_is_gone_also_behind_shorter_outputs(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    path.write_bytes(b"outputs of a run before")

    OutFile(path).write(b"new")

    assert path.read_bytes() == b"new"


def test_nothing_is_left_where_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    path.write_bytes(b"outputs of a run before")

    OutFile(path)

    assert path.read_bytes() == b""


def test_no_file_is_made_where_the_parent_made_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OutFile(tmp_path / "outputs")


def test_a_program_that_is_started_does_not_get_the_file(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    path.touch()

    kept = OutFile(path)

    (number,) = [
        int(each.name) for each in Path("/proc/self/fd").iterdir() if each.resolve() == path.resolve()
    ]
    assert not os.get_inheritable(number)
    kept.write(b"still open")


def test_rows_bytes_and_graphs_stand_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    path.write_bytes(b"x" * 64)
    channel = Channel(path)

    channel.append_rows(np.array([[1.0, -2.0]], np.float32))
    channel.append_bytes(b"raw")
    channel.append_graph(b"graph")

    rows, length = np.array([1.0, -2.0], "<f4").tobytes(), (5).to_bytes(LENGTH_BYTES, "little")
    assert path.read_bytes() == rows + b"raw" + length + b"graph"
