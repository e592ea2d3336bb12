"""The pacer gives samples one at a time and keeps each answer as it first came."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from scoring.sandbox.pacing import COUNT, WARM_UP, Pacer

SAMPLES = np.repeat(np.arange(1, 9, dtype=np.uint8), 4).reshape(8, 1, 2, 2)
WORK_S = 0.01


class Child:
    """Answers each sample with its first value, `work_s` after it appeared."""

    def __init__(self, inputs: Path, outputs: Path, work_s: float) -> None:
        self._array = np.load(inputs, mmap_mode="r")
        self._outputs = outputs
        self._work_s = work_s
        self.seen_early: list[int] = []
        self._thread = threading.Thread(target=self._run)

    def run(self) -> None:
        self._thread.start()
        self._thread.join()

    def _run(self) -> None:
        with self._outputs.open("wb", buffering=0) as file:
            for place in range(len(SAMPLES)):
                while self._given() <= place:
                    time.sleep(1e-4)
                self.seen_early.append(int(np.count_nonzero(self._array[place + 1 : -1])))
                time.sleep(self._work_s)
                file.write(np.array([self._array[place, 0, 0, 0]], "<f4").tobytes())

    def _given(self) -> int:
        return int(self._array[-1:].view(np.uint8).reshape(-1)[: COUNT.itemsize].view(COUNT)[0])


@pytest.fixture
def played(tmp_path: Path) -> tuple[Pacer, Child]:
    inputs, outputs = tmp_path / "paced.npy", tmp_path / "outputs.bin"
    pacer = Pacer(SAMPLES, inputs=inputs, outputs=outputs, width=1)
    child = Child(inputs, outputs, WORK_S)
    with pacer:
        child.run()
        pacer.wait(5.0)
    return pacer, child


def test_every_answer_is_kept(played: tuple[Pacer, Child]) -> None:
    pacer, _ = played

    assert [float(answer[0]) for answer in pacer.answers] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_no_sample_shows_before_the_one_ahead_is_answered(played: tuple[Pacer, Child]) -> None:
    _, child = played

    assert child.seen_early[WARM_UP:] == [0] * (len(SAMPLES) - WARM_UP)


def test_only_samples_after_the_warm_up_are_timed(played: tuple[Pacer, Child]) -> None:
    pacer, _ = played

    assert len(pacer.timed_s) == len(SAMPLES) - WARM_UP


def test_a_time_is_at_least_the_work(played: tuple[Pacer, Child]) -> None:
    pacer, _ = played

    assert min(pacer.timed_s) >= WORK_S


def test_an_answer_that_is_mended_later_stays_as_it_first_was(tmp_path: Path) -> None:
    inputs, outputs = tmp_path / "paced.npy", tmp_path / "outputs.bin"
    pacer = Pacer(SAMPLES[:1], inputs=inputs, outputs=outputs, width=1)

    with pacer:
        outputs.write_bytes(np.array([5], "<f4").tobytes())
        pacer.wait(5.0)
        outputs.write_bytes(np.array([7], "<f4").tobytes())

    assert [float(answer[0]) for answer in pacer.answers] == [5]


def test_a_child_that_never_answers_leaves_no_time(tmp_path: Path) -> None:
    pacer = Pacer(SAMPLES, inputs=tmp_path / "paced.npy", outputs=tmp_path / "outputs.bin", width=1)

    with pacer:
        pass

    assert pacer.times_s == []


def test_answers_left_over_from_an_earlier_run_are_taken_away(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.bin"
    outputs.write_bytes(bytes(4 * len(SAMPLES)))

    with Pacer(SAMPLES, inputs=tmp_path / "paced.npy", outputs=outputs, width=1) as pacer:
        pass

    assert pacer.answers == []


def test_an_answer_that_is_cut_while_it_is_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = tmp_path / "outputs.bin"
    pacer = Pacer(SAMPLES, inputs=tmp_path / "paced.npy", outputs=outputs, width=2)
    monkeypatch.setattr(os, "pread", lambda fd, size, place: bytes(size // 2))

    with pacer:
        outputs.write_bytes(bytes(8 * len(SAMPLES)))
        pacer.wait(5.0)

    assert (pacer.answers, pacer.times_s) == ([], [])
