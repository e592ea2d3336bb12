"""Class maps and boxes end to end: a real child runs models that threshold colours; scores by formula."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from scoring import pipeline
from scoring.contracts import ScoreReport
from scoring.errors import Fault, Rejected
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.trial import bubblewrap_failure
from scoring.tracks import build_track

pytestmark = pytest.mark.sandbox

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


@pytest.fixture(autouse=True)
def _needs_a_sandbox() -> None:
    if why := bubblewrap_failure():
        pytest.skip(why)


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
    """Score a model.py on a folder by a track."""

    def score(code: str, data: Path, track: dict[str, Any]) -> ScoreReport:
        entry = tmp_path / "entry.zip"
        with zipfile.ZipFile(entry, "w") as archive:
            archive.writestr("model.py", code)
        (tmp_path / "work").mkdir(exist_ok=True)
        return pipeline.score(
            entry,
            build_track(track).spec,
            data=data,
            benchmark=None,
            cache=tmp_path / "cache",
            sandbox=BubblewrapSandbox(),
            workdir=tmp_path / "work",
            note=lambda stage: None,
        )

    return score


@pytest.mark.parametrize("answer", ["return maps", "return maps.argmax(1)"])
def test_a_map_of_classes_is_scored_by_intersection_over_union(
    answer: str, score: Score, masks: Path
) -> None:
    report = score(COLOURS.format(answer=answer), masks, SEGMENTATION)

    # In pixels of the input: 30 rows of 32 count; blue is 8 x 16, green 16 x 16, half of it unseen.
    blue, green = 1.0, 8 * 16 / (16 * 16)
    background = (30 * 32 - 24 * 16) / (30 * 32 - 24 * 16 + 8 * 16)
    miou = report.scores["miou"]
    assert miou.value == pytest.approx((background + blue + green) / 3, abs=1e-12)
    assert miou.details == pytest.approx({"iou_0": background, "iou_1": blue, "iou_2": green})
    assert report.scores["pixel_accuracy"].value == pytest.approx(1 - 8 * 16 / (30 * 32))
    assert report.private_scores["miou"].value == pytest.approx(miou.value)


def test_boxes_are_decoded_suppressed_and_scored(score: Score, boxes: Path) -> None:
    report = score(BOXES, boxes, DETECTION)

    # Blue is right at ten thresholds; green has IoU 32 / 48 = 2/3: right at .50, .55, .60 and .65.
    result = report.scores["coco_map"]
    assert result.value == pytest.approx((10 / 10 + 4 / 10) / 2)
    assert result.details == pytest.approx({"map50": 1.0, "map75": 0.5})


def test_boxes_in_another_layout_are_refused(score: Score, boxes: Path) -> None:
    with pytest.raises(Rejected) as refused:
        score(BOXES.replace("tensor(rows).T", "tensor(rows)"), boxes, DETECTION)

    assert refused.value.code == "wrong_output_shape"
    assert refused.value.findings[0].facts["expected"] == "(1, 6, anchors)"


def test_a_track_of_maps_refuses_a_dataset_of_boxes(score: Score, boxes: Path) -> None:
    with pytest.raises(Fault, match="masks"):
        score(COLOURS.format(answer="return maps"), boxes, SEGMENTATION)
