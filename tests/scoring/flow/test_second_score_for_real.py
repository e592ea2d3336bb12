"""The second score through the real sandbox: a convolutional network as zip and as ONNX, and again."""

import importlib.util
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from competition.demo.data import write_dataset
from scoring.contracts import Metric, Quantisation, ScoreReport
from scoring.flow import pipeline
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.tracks import load_track
from tests.forked.sandbox import quick_sandbox

SOURCE = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 7, stride=4), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 16, 5, stride=4), nn.Hardswish(), nn.MaxPool2d(2),
            nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(144, 100),
        )

    def forward(self, images):
        return self.layers(images)
"""

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One network as a folder with code and as a graph, and the demonstration's images."""
    root = tmp_path_factory.mktemp("second")
    (root / "package").mkdir()
    (root / "package" / "model.py").write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("second_model", root / "package" / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.Model().eval(),
            (torch.rand(2, 3, 224, 224),),
            str(root / "net.onnx"),
            dynamo=False,
            opset_version=12,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}},
        )
    write_dataset(root / "data", track="cvpr2022-track1", split="hidden", samples=60, seed=5)
    return root


@pytest.fixture(scope="module")
def scored(folder: Path) -> dict[str, ScoreReport]:
    """The folder scored twice, once of them in bubblewrap, and the graph once."""
    track = load_track("cvpr2022-track1").spec
    asked = Quantisation(calibration_samples=20, max_drop_points=100)
    # Cross-entropy moves with the last bit of every logit.
    track = replace(track, quantisation=asked, extra_metrics=(Metric.CROSS_ENTROPY,))
    reports = {}
    real, quick = BubblewrapSandbox(), quick_sandbox()
    for name, entry, sandbox in (
        ("zip", "package", real),
        ("again", "package", quick),
        ("onnx", "net.onnx", quick),
    ):
        workdir = folder / f"work-{name}"
        workdir.mkdir()
        reports[name] = pipeline.score(
            folder / entry,
            track,
            data=folder / "data",
            benchmark=None,
            cache=folder / "cache",
            sandbox=sandbox,
            workdir=workdir,
            note=lambda stage: None,
        )
    return reports


def test_the_same_entry_gets_the_same_second_score_to_the_last_bit(scored: dict[str, ScoreReport]) -> None:
    assert scored["zip"].quantised == scored["again"].quantised


def test_rounding_to_8_bits_shows_and_is_small(scored: dict[str, ScoreReport]) -> None:
    in_float = scored["zip"].scores[Metric.CROSS_ENTROPY].value
    quantised = scored["zip"].quantised.scores[Metric.CROSS_ENTROPY].value

    assert quantised != in_float
    assert quantised == pytest.approx(in_float, rel=0.02)


def test_a_graph_of_the_same_network_scores_nearly_the_same(scored: dict[str, ScoreReport]) -> None:
    """Two exporters write the graph differently, so their values are rounded at other places."""
    found = [scored[name].quantised.scores[Metric.CROSS_ENTROPY].value for name in ("zip", "onnx")]

    np.testing.assert_allclose(found[0], found[1], rtol=0.01)


def test_all_products_are_in_8_bits(scored: dict[str, ScoreReport]) -> None:
    assert {name: report.quantised.share_in_8_bits for name, report in scored.items()} == dict.fromkeys(
        scored, 1.0
    )


def test_every_metric_is_scored_and_as_many_samples_calibrated_on_as_asked(
    scored: dict[str, ScoreReport],
) -> None:
    second = scored["zip"].quantised

    assert second.calibration_samples == 20
    assert set(second.scores) == {Metric.ACCURACY, Metric.CROSS_ENTROPY}
