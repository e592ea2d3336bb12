"""GASBench's own session and metrics, against Podium's from the package to the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import Metric, Reader, TrackSpec
from scoring.data.labels import read_labels
from scoring.flow import pipeline
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.metrics import score
from scoring.packages import FORMATS
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
    for name in ("cache", "settled", "scored"):
        (tmp_path / name).mkdir()

    theirs = gasbench(steps_of(kit, track, tmp_path / "settled"))[-1]
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

    expected = theirs[NAMES.index("sn34_score")]
    assert report.scores["sn34_score"].value == pytest.approx(expected, abs=1e-6)


def steps_of(kit: Path, track: TrackSpec, workdir: Path) -> list[dict[str, object]]:
    """Return what GASBench is to do: decode and fit each file, ask the package, score what it answers."""
    rows = [row for row in read_labels(kit / "sample-data").rows if not row.private]
    np.save(workdir / "labels.npy", [row.label for row in rows])
    sides = sides_of(kit / "entry", track, workdir)
    how = {
        Reader.IMAGE: {"do": "picture", "size": sides[-2:]},
        Reader.VIDEO: {"do": "clip", "size": sides[-2:], "frames": sides[0], "rate": None},
        Reader.AUDIO: {"do": "sound"},
    }[track.input.reader]
    media = [{**how, "file": str(kit / "sample-data" / row.file)} for row in rows]
    arrays = [f"{number}.npy" for number in range(len(media))]
    asked = {
        "do": "answers",
        "file": str(kit / "entry"),
        "modality": str(track.input.reader),
        "inputs": arrays,
    }
    scored = {"do": "scores", "file": f"{len(media)}.npy", "labels": str(workdir / "labels.npy")}
    return [*media, asked, scored]


def sides_of(entry: Path, track: TrackSpec, workdir: Path) -> tuple[int, ...]:
    """Return the shape that the entry's configuration asks for."""
    unpacked = unpack(entry, destination=workdir / "package", limits=track.archive_limits)
    package = recognise(unpacked, allowed=track.formats, formats=FORMATS)
    return FORMATS[package.format].settle(package, track).track.input.sides()
