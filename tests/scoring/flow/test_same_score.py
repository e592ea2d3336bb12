"""The same weights as zip and as ONNX, through the real sandbox on real images, score the same."""

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
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track

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


def score(folder: Path, name: str, workdir: Path) -> ScoreReport:
    workdir.mkdir()
    return pipeline.score(
        folder / name,
        load_track("cvpr2022-track1").spec,
        data=folder / "data",
        benchmark=None,
        cache=folder / "cache",
        sandbox=BubblewrapSandbox(),
        workdir=workdir,
        note=lambda stage: None,
    )


def test_zip_and_onnx_with_the_same_weights_score_the_same(folder: Path, tmp_path: Path) -> None:
    as_zip = score(folder, "entry.zip", tmp_path / "zip")
    as_onnx = score(folder, "entry.onnx", tmp_path / "onnx")

    assert as_zip.scores == as_onnx.scores
    assert as_zip.private_scores == as_onnx.private_scores
    # What lies there is of the last run, which asks again for some samples.
    rows = [np.frombuffer(outputs(tmp_path / name), "<f4").reshape(-1, 100) for name in ("zip", "onnx")]
    assert np.array_equal(rows[0].argmax(1), rows[1].argmax(1))


def test_an_entry_that_is_scored_again_gets_the_same_bits(folder: Path, tmp_path: Path) -> None:
    first = score(folder, "entry.zip", tmp_path / "first")
    again = score(folder, "entry.zip", tmp_path / "again")

    assert (first.scores, first.private_scores) == (again.scores, again.private_scores)
    assert outputs(tmp_path / "first") == outputs(tmp_path / "again")


def outputs(workdir: Path) -> bytes:
    (file,) = workdir.glob("run-predict/**/outputs.bin")
    return file.read_bytes()
