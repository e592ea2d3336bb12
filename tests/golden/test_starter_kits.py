"""Every preset has a starter kit, and every kit says how it is used; `test_every_preset` does what it says.

Kits whose weights know something are scored on generated data, which they have never seen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from competition.demo.data import write_dataset
from competition.demo.datasets import DATASETS
from scoring.contracts import TrackSpec
from scoring.flow import pipeline
from scoring.tracks import load_track, presets
from tests.forked.sandbox import quick_sandbox

KITS = Path(__file__).parents[2] / "docs" / "starter-kits"
NAMES = sorted(folder.name for folder in KITS.iterdir() if folder.is_dir())
SAMPLES = 200
# What each kit must reach on the first split of 32 samples. To know nothing is worth 0 in sn34_score, 1 in 100
# for pairs of digits, 1 in 10 for one digit, 0.67 in best_f1; to take every digit for a 0 was worth 0.005 in coco_map.
FLOORS = {
    "gasbench-image": 0.3,
    "gasbench-video": 0.3,
    "gasbench-audio": 0.8,
    "qaihub-classification": 0.4,
    "cvpr2022-track1": 0.4,
    "cvpr2022-track2": 0.85,
    "byom-anomaly": 0.85,
    "byom-classification": 0.5,
    "byom-detection": 0.2,
}


def track_of(kit: str) -> TrackSpec:
    """Return the preset that the kit is named for."""
    return load_track(next(name for name in presets() if f"{kit}-".startswith(f"{name}-"))).spec


def best_f1(labels: NDArray[np.int_]) -> float:
    """Return the highest F1 over all thresholds, for labels in the order of their scores."""
    hits = np.cumsum(labels)
    return float((2 * hits / (np.arange(1, len(labels) + 1) + labels.sum())).max())


@pytest.mark.parametrize("kit", NAMES)
def test_a_kit_says_how_it_is_checked_scored_and_submitted(kit: str) -> None:
    text, slug = (KITS / kit / "README.md").read_text("utf-8"), track_of(kit).slug

    assert f"podium check entry --track {slug}\n" in text
    assert f"podium score entry --track {slug} --data sample-data\n" in text
    assert "podium pack entry -o entry." in text
    assert (
        f"podium submit entry.zip --track {slug} " in text or f"submit entry.tar.gz --track {slug} " in text
    )


def test_every_preset_has_a_kit_with_an_entry_and_sample_data() -> None:
    for preset in presets():
        assert {"README.md", "entry", "sample-data"} <= {path.name for path in (KITS / preset).iterdir()}


@pytest.mark.slow
def test_the_opencv_kit_does_better_than_chance(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_dataset(data, "cvpr2022-track2", "hidden", SAMPLES, seed=12)
    (data / "labels.csv").write_text((data / "labels.csv").read_text().replace("private", "public"))
    (tmp_path / "cache").mkdir()

    report = pipeline.score(
        KITS / "cvpr2022-track2-opencv" / "entry",
        track_of("cvpr2022-track2-opencv"),
        data=data,
        benchmark=None,
        cache=tmp_path / "cache",
        sandbox=quick_sandbox(),
        workdir=tmp_path,
        note=lambda stage: None,
    )

    # Half of the pictures are tampered with: to call all of them so gives an F1 of 2/3, and the best
    # threshold on scores drawn at random hardly more.
    rng, labels = np.random.default_rng(0), np.arange(SAMPLES) % 2
    by_chance = [best_f1(rng.permutation(labels)) for _ in range(200)]
    assert report.scores["best_f1"].value > np.quantile(by_chance, 0.99)
    assert {warning.code for warning in report.warnings} == {"no_trainable_parameters", "counted_by_running"}


@pytest.mark.slow
@pytest.mark.parametrize("kit", FLOORS)
def test_the_weights_of_a_kit_know_something(kit: str, tmp_path: Path) -> None:
    track = track_of(kit)
    DATASETS[kit](tmp_path / "data", samples=32, seed=12)
    (tmp_path / "cache").mkdir()

    report = pipeline.score(
        KITS / kit / "entry",
        track,
        data=tmp_path / "data",
        benchmark=None,
        cache=tmp_path / "cache",
        sandbox=quick_sandbox(),
        workdir=tmp_path,
        note=lambda stage: None,
    )

    assert report.scores[track.metric].value > FLOORS[kit]
