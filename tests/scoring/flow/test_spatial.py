"""Class maps and boxes end to end: a real child runs models that threshold colours; scores by formula."""

import io
import json
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import nn

from scoring.contracts import ScoreReport, TrackSpec
from scoring.errors import Fault, Rejected
from scoring.flow import pipeline
from scoring.tracks import build_track, load_track
from tests.forked.sandbox import quick_sandbox
from tests.golden.byom import MODEL, byom_files

pytestmark = pytest.mark.slow

SIDE = 32
BLUE, GREEN = (255, 0, 0), (0, 255, 0)
SEGMENTATION: dict[str, Any] = {
    "slug": "maps",
    "name": "Maps",
    "formats": ["cvpr-zip", "onnx"],
    "input": {"shape": [3, SIDE, SIDE], "channel_order": "bgr"},
    "output": {"kind": "class_map", "classes": 3},
    "metric": "miou",
    "extra_metrics": ["pixel_accuracy"],
}
DETECTION: dict[str, Any] = {
    **SEGMENTATION,
    "slug": "boxes",
    "output": {"kind": "boxes", "classes": 2, "box_layout": "yolo"},
    "metric": "coco_map",
    "extra_metrics": [],
}
# Blue is class 1, green is class 2; but green is seen only in the left half of the picture.
COLOURS = """
import torch
from torch import nn

class Model(nn.Module):
    def forward(self, x):
        blue, green = x[:, 0] > 0.5, x[:, 1] > 0.5
        green = green & (torch.arange(x.shape[3]) < x.shape[3] // 2)
        maps = torch.stack([torch.full_like(x[:, 0], 0.5), blue.float(), green.float()], 1)
        {answer}
"""
AI_HUB = (
    COLOURS.format(answer="return maps")
    .replace("from torch import nn", "from qai_hub_models.utils.base_model import BaseModel")
    .replace("class Model(nn.Module):", "class Model(BaseModel):")
    + f"""
    @classmethod
    def from_pretrained(cls):
        return cls()

    @staticmethod
    def get_input_spec():
        return {{"image": ((1, 3, {SIDE}, {SIDE}), "float32")}}

    @staticmethod
    def get_output_names():
        return ["mask"]
"""
)
# The smallest box around blue is one of class 0, around green one of class 1; each is found twice.
BOXES = """
import torch
from torch import nn

class Model(nn.Module):
    def forward(self, x):
        return torch.stack([self.find(image) for image in x])

    def find(self, image):
        rows = []
        for channel in (0, 1):
            ys, xs = torch.nonzero(image[channel] > 0.5, as_tuple=True)
            if not len(ys):
                continue
            left, top, right, bottom = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
            for score in (0.9, 0.6):
                scores = [score if channel == 0 else 0.0, score if channel == 1 else 0.0]
                rows.append([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top, *scores])
        rows += [[0.0] * 6] * (8 - len(rows))
        return torch.tensor(rows).T
"""

Score = Callable[..., ScoreReport]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six pictures, twice as large as the input: blue at the left, green at the right half's middle."""
    folder = tmp_path / "data"
    folder.mkdir()
    for index in range(6):
        picture = np.zeros((2 * SIDE, 2 * SIDE, 3), np.uint8)
        picture[16:48, 0:16] = BLUE
        picture[16:48, 16:48] = GREEN
        cv2.imwrite(str(folder / f"{index}.png"), picture)
    return folder


@pytest.fixture
def masks(data: Path) -> Path:
    """The truth by colour, but for the lowest rows, which are ignored."""
    mask = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    mask[16:48, 0:16], mask[16:48, 16:48], mask[60:] = 1, 2, 255
    for index in range(6):
        Image.fromarray(mask).save(data / f"mask{index}.png")
    rows = [f"{index}.png,mask{index}.png,{'private' if index > 3 else 'public'}" for index in range(6)]
    (data / "labels.csv").write_text("\n".join(["file,mask,split", *rows]) + "\n")
    return data


@pytest.fixture
def boxes(data: Path) -> Path:
    """The true blue box is as drawn; the green one is said to be twice as wide as it is drawn."""
    (data / "labels.csv").write_text("file\n" + "".join(f"{index}.png\n" for index in range(6)))
    images = [
        {"id": 70 + index, "file_name": f"{index}.png", "width": 2 * SIDE, "height": 2 * SIDE}
        for index in range(6)
    ]
    annotations = [
        {"id": 10 * image["id"] + category, "image_id": image["id"], "category_id": category, "bbox": box}
        for image in images
        for category, box in ((5, [0, 16, 16, 32]), (9, [16, 16, 48, 32]))
    ]
    document = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 9, "name": "green"}, {"id": 5, "name": "blue"}],
    }
    (data / "annotations.json").write_text(json.dumps(document))
    return data


@pytest.fixture
def score(tmp_path: Path) -> Score:
    """Score an entry on a folder by a track."""

    def score(entry: Path, data: Path, track: TrackSpec) -> ScoreReport:
        (tmp_path / "work").mkdir(exist_ok=True)
        return pipeline.score(
            entry,
            track,
            data=data,
            benchmark=None,
            cache=tmp_path / "cache",
            sandbox=quick_sandbox(),
            workdir=tmp_path / "work",
            note=lambda stage: None,
        )

    return score


@pytest.fixture
def with_code(tmp_path: Path) -> Callable[[str], Path]:
    """Make a cvpr-zip of a model.py."""

    def with_code(code: str) -> Path:
        entry = tmp_path / "entry.zip"
        with zipfile.ZipFile(entry, "w") as archive:
            archive.writestr("model.py", code)
        return entry

    return with_code


@pytest.fixture
def with_script(tmp_path: Path) -> Callable[..., Path]:
    """Make a BYOM package of a scripted module and its first stage."""

    def with_script(module: nn.Module, stage: dict[str, object], postprocessing: dict[str, object]) -> Path:
        changes = {f"stages.0.{field}": value for field, value in stage.items()}
        graph = {"model_graph.stages.0.type": stage["type"], "postprocessing": postprocessing}
        files = byom_files(
            {
                "set": {
                    "config.yaml": {"dataset.num_classes": stage["num_classes"]},
                    "mochi.json": changes,
                    "export_artifacts/manifest.json": graph,
                }
            }
        )
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.jit.save(torch.jit.script(module.eval()), buffer)
        files[MODEL] = buffer.getvalue()
        entry = tmp_path / "entry.tar.gz"
        with tarfile.open(entry, "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return entry

    return with_script


class ScriptedColours(nn.Module):
    """Like `COLOURS`, on normalised RGB."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = torch.arange(x.shape[3]) < x.shape[3] // 2
        blue, green = x[:, 2] > 0, (x[:, 1] > 0) & half
        return torch.stack([torch.full_like(x[:, 0], 0.5), blue.float(), green.float()], 1)


class ScriptedBoxes(nn.Module):
    """Like `BOXES`, on normalised RGB, each box found once."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = []
        for image in x.unbind(0):
            rows = torch.zeros(8, 6)
            for place in range(2):
                spots = torch.nonzero(image[2 - place] > 0)
                if spots.shape[0] > 0:
                    low, high = spots.amin(0), spots.amax(0) + 1
                    rows[place, 0:2] = (low + high).flip(0) / 2
                    rows[place, 2:4] = (high - low).flip(0).float()
                    rows[place, 4 + place] = 0.9
            found.append(rows.t())
        return torch.stack(found)


def spec(track: dict[str, Any]) -> TrackSpec:
    return build_track(track).spec


def check_map(report: ScoreReport) -> None:
    """Compare with what the pictures and the models make certain."""
    # In pixels of the input: 30 rows of 32 count; blue is 8 x 16, green 16 x 16, half of it unseen.
    blue, green = 1.0, 8 * 16 / (16 * 16)
    background = (30 * 32 - 24 * 16) / (30 * 32 - 24 * 16 + 8 * 16)
    miou = report.scores["miou"]
    assert miou.value == pytest.approx((background + blue + green) / 3, abs=1e-12)
    assert miou.details == pytest.approx({"iou_0": background, "iou_1": blue, "iou_2": green})
    assert report.scores["pixel_accuracy"].value == pytest.approx(1 - 8 * 16 / (30 * 32))


def check_boxes(report: ScoreReport) -> None:
    """Compare with what the pictures and the models make certain."""
    # Blue is right at ten thresholds; green has IoU 32 / 48 = 2/3: right at .50, .55, .60 and .65.
    result = report.scores["coco_map"]
    assert result.value == pytest.approx((10 / 10 + 4 / 10) / 2)
    assert result.details == pytest.approx({"map50": 1.0, "map75": 0.5})


def test_a_map_of_classes_is_scored_by_intersection_over_union(
    score: Score, with_code: Callable[[str], Path], masks: Path
) -> None:
    report = score(with_code(COLOURS.format(answer="return maps.argmax(1)")), masks, spec(SEGMENTATION))

    check_map(report)
    assert report.private_scores["miou"].value == report.scores["miou"].value


def test_a_model_folder_of_ai_hub_is_scored_by_its_map(
    score: Score, with_code: Callable[[str], Path], masks: Path
) -> None:
    report = score(with_code(AI_HUB), masks, spec({**SEGMENTATION, "formats": ["qaihub"]}))

    check_map(report)


def test_a_graph_is_scored_by_its_map(score: Score, masks: Path, tmp_path: Path) -> None:
    # One convolution: 0.5 for the background, then the blue and the green plane as they are.
    weights = np.zeros((3, 3, 1, 1), np.float32)
    weights[1, 0], weights[2, 1] = 1, 1
    bias = np.array([0.5, 0, 0], np.float32)
    sides = ["n", 3, SIDE, SIDE]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w", "b"], ["y"])],
        "colours",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, sides)],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    opsets = [helper.make_opsetid("", 17)]
    entry = tmp_path / "net.onnx"
    entry.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())

    report = score(entry, masks, spec(SEGMENTATION))

    assert report.scores["miou"].value == 1.0
    assert report.warnings == ()


def test_boxes_are_decoded_suppressed_and_scored(
    score: Score, with_code: Callable[[str], Path], boxes: Path
) -> None:
    report = score(with_code(BOXES), boxes, spec(DETECTION))

    check_boxes(report)


def test_a_byom_package_is_scored_on_the_preset_of_segmentation(
    score: Score, with_script: Callable[..., Path], masks: Path
) -> None:
    stage = {"type": "semantic_segmentation", "num_classes": 3, "output_shape": [1, 3, SIDE, SIDE]}

    report = score(
        with_script(ScriptedColours(), stage, {"type": "argmax_per_pixel"}),
        masks,
        load_track("byom-segmentation").spec,
    )

    check_map(report)


def test_a_byom_package_is_scored_on_the_preset_of_detection(
    score: Score, with_script: Callable[..., Path], boxes: Path
) -> None:
    stage = {"type": "object_detection", "num_classes": 2, "output_shape": [1, 6, 8]}
    track = load_track("byom-detection").spec
    two_classes = replace(track, output=replace(track.output, classes=2))

    report = score(
        with_script(
            ScriptedBoxes(), stage, {"type": "yolo_nms", "confidence_threshold": 0.25, "nms_threshold": 0.45}
        ),
        boxes,
        two_classes,
    )

    check_boxes(report)


def test_boxes_in_another_layout_are_refused(
    score: Score, with_code: Callable[[str], Path], boxes: Path
) -> None:
    with pytest.raises(Rejected) as refused:
        score(with_code(BOXES.replace("tensor(rows).T", "tensor(rows)")), boxes, spec(DETECTION))

    assert refused.value.code == "wrong_output_shape"
    assert refused.value.findings[0].facts["expected"] == "(1, 6, anchors)"


def test_a_track_of_maps_refuses_a_dataset_of_boxes(
    score: Score, with_code: Callable[[str], Path], boxes: Path
) -> None:
    with pytest.raises(Fault, match="masks"):
        score(with_code(COLOURS.format(answer="return maps")), boxes, spec(SEGMENTATION))
