"""GASBench's own session and metrics, against Podium's from the package to the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import Metric, Reader
from scoring.data.labels import read_labels
from scoring.flow import pipeline
from scoring.metrics import score
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track
from tests.peers.conftest import Run

KITS = Path(__file__).parents[2] / "docs" / "starter-kits"
NAMES = ("binary_mcc", "cross_entropy", "binary_brier", "sn34_score")
MINE = (Metric.BINARY_MCC, Metric.BINARY_BRIER, Metric.SN34_SCORE)


@pytest.mark.parametrize("classes", [1, 2, 3])
@pytest.mark.parametrize("spread", [0.1, 3.0, 60.0])
def test_scores_of_logits_are_equal(gasbench: Run, tmp_path: Path, classes: int, spread: float) -> None:
    random = np.random.default_rng(classes)
    labels = random.integers(0, max(2, classes), 500)
    logits = (random.normal(size=(500, classes)) * spread).astype(np.float32)
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "logits.npy", logits)

    (theirs,) = gasbench(
        [{"do": "scores", "file": str(tmp_path / "logits.npy"), "labels": str(tmp_path / "labels.npy")}]
    )

    mine = score(Metric.SN34_SCORE, MINE, labels, logits)
    for name, expected in zip(NAMES, theirs, strict=True):
        if name in mine:
            assert mine[name].value == pytest.approx(expected, abs=1e-6), name


@pytest.mark.sandbox
@pytest.mark.parametrize("reader", Reader)
def test_a_package_scores_as_in_gasbenchs_own_session(gasbench: Run, tmp_path: Path, reader: Reader) -> None:
    kit, track = KITS / f"gasbench-{reader}", load_track(f"gasbench-{reader}").spec
    for name in ("cache", "examined", "scored"):
        (tmp_path / name).mkdir()
    examination = pipeline.examine(
        kit / "entry",
        track,
        sandbox=BubblewrapSandbox(),
        workdir=tmp_path / "examined",
        note=lambda stage: None,
    )
    settled = examination.model.track.input
    files = [kit / "sample-data" / row.file for row in read_labels(kit / "sample-data").rows]
    labels = np.array([row.label for row in read_labels(kit / "sample-data").rows])

    report = pipeline.score(
        kit / "entry",
        track,
        data=kit / "sample-data",
        benchmark=None,
        cache=tmp_path / "cache",
        sandbox=BubblewrapSandbox(),
        workdir=tmp_path / "scored",
        note=lambda stage: None,
    )

    theirs = _scored_by_gasbench(gasbench, tmp_path, reader, settled.sides(), kit / "entry", files, labels)
    assert report.scores["sn34_score"].value == pytest.approx(theirs, abs=1e-6)


def _scored_by_gasbench(
    gasbench: Run,
    folder: Path,
    reader: Reader,
    sides: tuple[int, ...],
    entry: Path,
    files: list[Path],
    labels: np.ndarray,
) -> float:
    """Return the SN34 score of the files: GASBench decodes, fits, runs the package and scores."""
    how = {
        Reader.IMAGE: {"do": "picture", "size": sides[-2:]},
        Reader.VIDEO: {"do": "clip", "size": sides[-2:], "frames": sides[0], "rate": None},
        Reader.AUDIO: {"do": "sound"},
    }[reader]
    np.save(folder / "inputs.npy", np.stack(gasbench([{**how, "file": str(file)} for file in files])))
    inputs = str(folder / "inputs.npy")
    (logits,) = gasbench([{"do": "answers", "file": str(entry), "modality": str(reader), "inputs": inputs}])
    np.save(folder / "logits.npy", logits)
    np.save(folder / "labels.npy", labels)
    steps = [{"do": "scores", "file": str(folder / "logits.npy"), "labels": str(folder / "labels.npy")}]
    return float(gasbench(steps)[0][NAMES.index("sn34_score")])
