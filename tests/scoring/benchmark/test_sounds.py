"""Benchmark runs on sound: the worn pass, and records without height and width."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from scipy.io import wavfile

from scoring.benchmark.plan import Mode
from scoring.contracts import Format, Task
from scoring.readers import audio
from scoring.readers.robustness import wear_sound
from scoring.sandbox.fake import FakeSandbox, predicted
from scoring.tracks import load_track
from tests.scoring.benchmark.playing import DrawingSandbox, play

RATE = 16_000


class ListeningSandbox(DrawingSandbox):
    """Calls what is loud synthetic, and keeps what it heard."""

    def run(self, job, *, workdir, tick):  # type: ignore[no-untyped-def]
        if job.request.task is Task.PREDICT:
            sounds = np.load(job.inputs)
            self.heard = [*getattr(self, "heard", []), *sounds]
            loud = np.abs(sounds).mean(axis=1) - 0.2
            rows = np.stack([np.zeros_like(loud), loud], axis=1).astype(np.float32)
            self.scripts = {**self.scripts, Task.PREDICT: [predicted(rows)]}
        return FakeSandbox.run(self, job, workdir=workdir, tick=tick)


@pytest.fixture
def track():
    return replace(load_track("gasbench-audio").spec, formats=(Format.CVPR_ZIP,))


@pytest.fixture
def root(root: Path) -> Path:
    """Six noises, some of them longer than what is heard."""
    rows = ["file,label,group"]
    for number in range(6):
        noise = np.random.default_rng(number).uniform(-1, 1, 90_000 + 4_000 * number) * (number + 1) / 8
        wavfile.write(root / "data" / f"{number}.wav", RATE, noise.astype(np.float32))
        rows.append(f"{number}.wav,{number // 3},a")
    (root / "data" / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


def test_sounds_are_heard_as_they_are_and_worn_by_their_place_in_the_plan(root: Path, track) -> None:
    sandbox = ListeningSandbox()

    play(root, root / "results", sandbox, track=track, augmented=2, mode=Mode.DEBUG, seed=5)

    records = parquet.read_table(root / "results" / "records.parquet").to_pylist()
    assert [row["aug_pass"] for row in records] == [False] * 6 + [True] * 2
    assert {(row["target_height"], row["target_width"]) for row in records} == {(None, None)}
    for heard, row in zip(sandbox.heard, records, strict=True):
        sound = audio.decode(root / "data" / row["source_file"], track.input)
        worn = wear_sound(sound, rate=RATE, seed=5 + row["iteration_index"])
        assert np.array_equal(heard, worn if row["aug_pass"] else sound)
