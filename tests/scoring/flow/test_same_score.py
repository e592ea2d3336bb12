"""The same weights as zip and as ONNX, and the same zip in another sandbox, score the same on real images."""

import importlib.util
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from competition.demo.data import write_dataset
from scoring.contracts import ScoreReport
from scoring.flow import pipeline
from scoring.sandbox.base import Sandbox
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track
from tests.forked.sandbox import quick_sandbox

SOURCE = """
from pathlib import Path

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 7, stride=4), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 16, 5, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 13 * 13, 100),
        )
        weights = Path(__file__).with_name("weights.pth")
        if weights.exists():
            self.load_state_dict(torch.load(weights, weights_only=True))

    def forward(self, images):
        return self.layers(images)
"""

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two entries with the same weights, and the demonstration's images."""
    root = tmp_path_factory.mktemp("same")
    (root / "model.py").write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("same_model", root / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(3)
    model = module.Model().eval()
    torch.save(model.state_dict(), root / "weights.pth")
    with zipfile.ZipFile(root / "entry.zip", "w") as archive:
        archive.write(root / "model.py", "model.py")
        archive.write(root / "weights.pth", "weights.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.rand(2, 3, 224, 224),),
            str(root / "entry.onnx"),
            dynamo=False,
            opset_version=17,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}},
        )
    write_dataset(root / "data", track="cvpr2022-track1", split="hidden", samples=100, seed=5)
    return root


@pytest.fixture(scope="module")
def workdir_of_zip(folder: Path) -> Path:
    return folder / "work-zip"


@pytest.fixture(scope="module")
def as_zip(folder: Path, workdir_of_zip: Path) -> ScoreReport:
    """The report of the zip in the real sandbox."""
    return score(folder, "entry.zip", workdir_of_zip, BubblewrapSandbox())


def score(folder: Path, name: str, workdir: Path, sandbox: Sandbox) -> ScoreReport:
    workdir.mkdir()
    return pipeline.score(
        folder / name,
        load_track("cvpr2022-track1").spec,
        data=folder / "data",
        benchmark=None,
        cache=folder / "cache",
        sandbox=sandbox,
        workdir=workdir,
        note=lambda stage: None,
    )


def test_zip_and_onnx_with_the_same_weights_score_the_same(
    folder: Path, as_zip: ScoreReport, workdir_of_zip: Path, tmp_path: Path
) -> None:
    as_onnx = score(folder, "entry.onnx", tmp_path / "onnx", BubblewrapSandbox())

    assert as_zip.scores == as_onnx.scores
    assert as_zip.private_scores == as_onnx.private_scores
    # What lies there is of the last run, which asks again for some samples.
    rows = [outputs(workdir) for workdir in (workdir_of_zip, tmp_path / "onnx")]
    winners = [np.frombuffer(raw, "<f4").reshape(-1, 100).argmax(1) for raw in rows]
    assert np.array_equal(*winners)


def test_an_entry_that_is_scored_again_gets_the_same_bits(
    folder: Path, as_zip: ScoreReport, workdir_of_zip: Path, tmp_path: Path
) -> None:
    again = score(folder, "entry.zip", tmp_path / "again", quick_sandbox())

    assert (as_zip.scores, as_zip.private_scores) == (again.scores, again.private_scores)
    assert outputs(workdir_of_zip) == outputs(tmp_path / "again")


def outputs(workdir: Path) -> bytes:
    (file,) = workdir.glob("run-predict/**/outputs.bin")
    return file.read_bytes()
