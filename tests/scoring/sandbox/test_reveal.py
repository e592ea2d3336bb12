"""A child sees its trials once its graph is written, and what it writes later is not looked at."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import LENGTH_BYTES
from scoring.sandbox.reveal import Reveal

SAMPLES = np.full((2, 3, 4, 4), 1, np.uint8)
TRIALS = np.full((3, 3, 4, 4), 2, np.uint8)
MOST = 1000


@pytest.fixture
def reveal(tmp_path: Path) -> Reveal:
    return Reveal(
        SAMPLES,
        TRIALS,
        inputs=tmp_path / "inputs.npy",
        outputs=tmp_path / "outputs.bin",
        kept=tmp_path / "kept",
        max_bytes=MOST,
    )


def until(holds: Callable[[], bool]) -> None:
    while not holds():
        os.sched_yield()


def framed(graph: bytes) -> bytes:
    return len(graph).to_bytes(LENGTH_BYTES, "little") + graph


def seen(folder: Path) -> tuple[int, list[int]]:
    """Return how many samples the child is told of, and the first value of each row."""
    array = np.load(folder / "inputs.npy", mmap_mode="r")
    return int(array[-1].reshape(-1)[:4].view("<u4")[0]), array[:-1, 0, 0, 0].tolist()


def test_only_the_samples_are_there_at_first(reveal: Reveal, tmp_path: Path) -> None:
    with reveal:
        assert seen(tmp_path) == (2, [1, 1, 0, 0, 0])


def test_trials_show_when_the_graph_is_written(reveal: Reveal, tmp_path: Path) -> None:
    with reveal:
        (tmp_path / "outputs.bin").write_bytes(framed(b"graph"))
        until(lambda: seen(tmp_path)[0] == 5)

    assert seen(tmp_path) == (5, [1, 1, 2, 2, 2])
    assert (tmp_path / "kept").read_bytes() == b"graph"
    assert reveal.graph_bytes == 5


def test_a_graph_that_is_half_written_shows_nothing(reveal: Reveal, tmp_path: Path) -> None:
    with reveal:
        (tmp_path / "outputs.bin").write_bytes(framed(b"graph")[:-1])

    assert seen(tmp_path) == (2, [1, 1, 0, 0, 0])
    assert reveal.graph_bytes == 0


def test_a_graph_that_is_changed_after_its_trials_showed_stays_as_it_was(
    reveal: Reveal, tmp_path: Path
) -> None:
    with reveal:
        (tmp_path / "outputs.bin").write_bytes(framed(b"graph"))
        until(lambda: seen(tmp_path)[0] == 5)
        (tmp_path / "outputs.bin").write_bytes(framed(b"other"))

    assert (tmp_path / "kept").read_bytes() == b"graph"


@pytest.mark.parametrize("length", [0, MOST + 1])
def test_trials_show_without_a_graph_too_but_none_is_kept(
    reveal: Reveal, tmp_path: Path, length: int
) -> None:
    with reveal:
        (tmp_path / "outputs.bin").write_bytes(length.to_bytes(LENGTH_BYTES, "little"))

    assert seen(tmp_path)[0] == 5
    assert reveal.graph_bytes == 0


def test_a_link_is_not_followed(reveal: Reveal, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(framed(b"secret"))
    with reveal:
        (tmp_path / "outputs.bin").symlink_to(tmp_path / "secret")

    assert reveal.graph_bytes == 0
