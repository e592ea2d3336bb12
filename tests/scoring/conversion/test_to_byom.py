"""`podium export byom` as a whole: the package scores like its origin, for every kind of output."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scoring.cli.convert import to_byom
from scoring.cli.ending import EXIT_OK, EXIT_REJECTED, Printing
from scoring.contracts import Fit, ScoreReport, Task, TrackSpec
from scoring.conversion.to_byom import CODE
from scoring.flow import pipeline
from scoring.packages.byom.writing import byom_track
from scoring.sandbox.fake import FakeSandbox, Scripted, predicted
from scoring.tracks import build_track, load_track
from tests.forked.sandbox import quick_sandbox
from tests.played import answers, captured, captures

AS_JSON = Printing(as_json=True, with_log=False)
SIDE, SAMPLES = 32, 12
HEAD = """
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.head = nn.Linear(48, {width})
        rows, columns = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
        self.register_buffer("centres", torch.stack([columns, rows]).flatten(1) * 8 + 4)

    def forward(self, x):
        pooled = nn.functional.avg_pool2d(x, 8)
        {answer}
"""
MODELS = {
    "classes": HEAD.format(width=4, answer="return self.head(pooled.flatten(1))"),
    "anomalies": HEAD.format(width=1, answer="return self.head(pooled.flatten(1)).sigmoid()"),
    "maps": HEAD.format(width=1, answer="return torch.stack([x[:, 0] * 0 + 0.4, x[:, 1], x[:, 2]], 1)"),
    "boxes": HEAD.format(
        width=1,
        answer="return torch.cat([self.centres.expand(len(x), 2, 16), "
        "6 + 8 * pooled[:, 2:].flatten(2).expand(-1, 2, -1), pooled[:, :2].flatten(2)], 1)",
    ),
}
TRACKS: dict[str, dict[str, Any]] = {
    # Another range than 0 to 1, which the package has to say as a normalisation.
    "classes": {
        "output": {"kind": "logits", "width": 4, "class_names": ["a", "b", "c", "d"]},
        "metric": "cross_entropy",
        "extra_metrics": ["accuracy"],
        "input": {"shape": [3, SIDE, SIDE], "channel_order": "bgr", "low": -1.0, "high": 1.0},
    },
    "anomalies": {
        "output": {"kind": "confidence", "width": 1},
        "metric": "best_f1",
        "extra_metrics": ["auroc", "f1_at_threshold"],
    },
    "maps": {"output": {"kind": "class_map", "classes": 3}, "metric": "miou"},
    "boxes": {"output": {"kind": "boxes", "classes": 2, "box_layout": "yolo"}, "metric": "coco_map"},
}
Written = Callable[[str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Written:
    """Write the package with code of one kind."""

    def write(kind: str) -> Path:
        package = tmp_path / "package"
        package.mkdir()
        (package / "model.py").write_text(MODELS[kind])
        return package

    return write


def track_of(kind: str) -> TrackSpec:
    common = {
        "slug": kind,
        "name": kind,
        "formats": ["cvpr-zip"],
        "input": {"shape": [3, SIDE, SIDE], "channel_order": "bgr"},
    }
    return build_track({**common, **TRACKS[kind]}).spec


def data_of(kind: str, root: Path) -> Path:
    """Write pictures of noise and a truth of noise: scores far from 0 and 1."""
    folder, noise = root / "data", np.random.default_rng(3)
    folder.mkdir()
    names = [f"{index}.png" for index in range(SAMPLES)]
    for name in names:
        coarse = noise.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / name), cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST))
        mask = noise.integers(0, 3, (4, 4), dtype=np.uint8)
        cv2.imwrite(
            str(folder / f"mask-{name}"), cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
        )
    rows = {
        "classes": ["file,label", *(f"{name},{index % 4}" for index, name in enumerate(names))],
        "anomalies": ["file,label", *(f"{name},{index % 2}" for index, name in enumerate(names))],
        "maps": ["file,mask", *(f"{name},mask-{name}" for name in names)],
        "boxes": ["file", *names],
    }[kind]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    images = [
        {"id": index, "file_name": name, "width": SIDE, "height": SIDE} for index, name in enumerate(names)
    ]
    annotations = [
        {
            "id": 2 * index + category,
            "image_id": index,
            "category_id": category,
            "bbox": [8, 8 * category, 9, 9],
        }
        for index in range(SAMPLES)
        for category in (1, 2)
    ]
    categories = [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    if kind == "boxes":
        (folder / "annotations.json").write_text(json.dumps(document))
    return folder


def score(entry: Path, track: TrackSpec, data: Path, workdir: Path) -> ScoreReport:
    workdir.mkdir()
    return pipeline.score(
        entry,
        track,
        data=data,
        benchmark=None,
        cache=workdir / "cache",
        sandbox=quick_sandbox(),
        workdir=workdir,
        note=lambda stage: None,
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_the_package_scores_like_its_origin(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    package, track, output = folder(kind), track_of(kind), tmp_path / "model.tar.gz"

    code = to_byom(package, track, source=None, output=output, sandbox=quick_sandbox(), printing=AS_JSON)

    told = json.loads(capsys.readouterr().out)
    data = data_of(kind, tmp_path)
    origin = score(package, track, data, tmp_path / "one")
    packaged = score(output, byom_track(track), data, tmp_path / "other")
    assert (code, told["verdict"], told["format"]) == (EXIT_OK, "accepted", "byom")
    assert told["export"]["differing"] == 0
    assert {name: value.value for name, value in packaged.scores.items()} == pytest.approx(
        {name: value.value for name, value in origin.scores.items()}, abs=1e-6
    )
    assert origin.scores[track.metric].value > 0
    with tarfile.open(output) as archive:
        assert archive.getnames() == [
            "config.yaml",
            "export_artifacts/manifest.json",
            "export_artifacts/model.pt",
            "mochi.json",
        ]


TRACED = {
    "outcome": "ok",
    "output_shape": [1, 4],
    "batch": None,
    "samples": 4,
    "largest_difference": 0.0,
    "largest_output": 1.0,
}
ROWS = np.arange(16, dtype=np.float32).reshape(4, 4)


def traced(**changes: object) -> Scripted:
    return Scripted(reply=json.dumps({**TRACED, **changes}).encode(), outputs=b"PK\x03\x04 a script")


def packaged_with(
    folder: Path, output: Path, *, trace: Scripted, rows: np.ndarray = ROWS, track: TrackSpec | None = None
) -> int:
    # The package predicts first, then its origin.
    sandbox = FakeSandbox(
        {
            **captures(4),
            Task.TRACE: [trace],
            Task.PREDICT: [predicted(rows), predicted(ROWS)],
        }
    )
    return to_byom(
        folder, track or track_of("classes"), source=None, output=output, sandbox=sandbox, printing=AS_JSON
    )


def test_what_was_compared_is_told(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = packaged_with(folder("classes"), tmp_path / "m.tar.gz", trace=traced(batch=1))

    export = json.loads(capsys.readouterr().out)["export"]
    assert code == EXIT_OK
    assert (export["batch"], export["numbers"], export["differing"]) == (1, 16, 0)
    assert export["bytes"] == (tmp_path / "m.tar.gz").stat().st_size


def test_the_same_model_gives_the_same_bytes(folder: Written, tmp_path: Path) -> None:
    package = folder("classes")

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        packaged_with(package, tmp_path / name / "m.tar.gz", trace=traced())

    assert (tmp_path / "one/m.tar.gz").read_bytes() == (tmp_path / "two/m.tar.gz").read_bytes()


def test_a_fit_that_no_package_can_say_is_told(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track = track_of("classes")
    cropped = replace(track, input=replace(track.input, fit=Fit.CROP_TO_ASPECT_THEN_RESIZE))

    to_byom(
        folder("classes"),
        cropped,
        source=None,
        output=tmp_path / "m.tar.gz",
        sandbox=FakeSandbox(
            {
                **captures(4),
                Task.TRACE: [traced()],
                Task.PREDICT: [predicted(ROWS), predicted(ROWS)],
            }
        ),
        printing=Printing(as_json=False, with_log=False),
    )

    assert "crop-to-aspect-then-resize" in capsys.readouterr().out


def refusal(code: int, output: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert code == EXIT_REJECTED
    assert not output.exists()
    return json.loads(capsys.readouterr().out)


def test_a_package_that_predicts_something_else_is_not_written(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "m.tar.gz"
    other = ROWS.copy()
    other[1, 2] += 1

    told = refusal(packaged_with(folder("classes"), output, trace=traced(), rows=other), output, capsys)

    assert told["code"] == "packaging_failed"
    assert "1 of its 16" in told["message"]


def test_what_could_not_be_traced_is_told_in_words_of_this_direction(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "m.tar.gz"
    failed = Scripted(exit_code=1, reply=b'{"outcome": "export_failed", "facts": {"why": "a branch"}}')

    told = refusal(packaged_with(folder("classes"), output, trace=failed), output, capsys)

    assert told["code"] == "packaging_failed"
    assert "BYOM package: a branch" in told["message"]


def test_what_cannot_be_captured_is_not_traced(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trace would freeze what depends on values."""
    measure = captured(answers(4), b"", not_captured="forward() branches on a tensor's values")
    sandbox, output = FakeSandbox({Task.MEASURE: [measure]}), tmp_path / "m.tar.gz"

    code = to_byom(
        folder("classes"),
        track_of("classes"),
        source=None,
        output=output,
        sandbox=sandbox,
        printing=AS_JSON,
    )

    told = refusal(code, output, capsys)
    assert told["code"] == "packaging_failed"
    assert "branches on a tensor's values" in told["message"]
    assert [job.request.task for job in sandbox.jobs] == [Task.MEASURE]


@pytest.mark.parametrize(
    "changes",
    [{"batch": 2}, {"output_shape": []}, {"output_shape": [0]}, {"samples": -1}, {"more": 1}],
)
def test_a_trace_that_no_child_reports_is_refused(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object]
) -> None:
    output = tmp_path / "m.tar.gz"

    told = refusal(packaged_with(folder("classes"), output, trace=traced(**changes)), output, capsys)

    assert told["code"] == "crashed"


def test_a_shape_that_the_track_does_not_take_is_found_by_the_check(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "m.tar.gz"

    told = refusal(
        packaged_with(folder("classes"), output, trace=traced(output_shape=[1, 5])), output, capsys
    )

    assert told["code"] == "invalid_config"


def test_a_track_of_sound_has_no_packages(
    folder: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, track = tmp_path / "m.tar.gz", load_track("gasbench-audio").spec

    told = refusal(packaged_with(folder("classes"), output, trace=traced(), track=track), output, capsys)

    assert told["code"] == CODE
    assert "audio" in told["message"]


def test_an_onnx_entry_holds_no_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry, output = tmp_path / "net.onnx", tmp_path / "m.tar.gz"
    entry.write_bytes(b"\x08\x08:\x00")

    assert refusal(packaged_with(entry, output, trace=traced()), output, capsys)["code"] == CODE
