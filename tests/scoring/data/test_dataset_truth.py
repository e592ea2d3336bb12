"""Masks and COCO boxes in a dataset folder: what is read, and each way to be refused."""

import codecs
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scoring.contracts import TruthKind
from scoring.data.coco import read_annotations
from scoring.data.dataset import count_labels, dataset_digest
from scoring.data.labels import DatasetProblem, read_labels
from tests.folders import checked

DOCUMENT: dict[str, Any] = {
    "images": [
        {"id": 7, "file_name": "a.png", "width": 10, "height": 8},
        {"id": 9, "file_name": "b.png", "width": 10, "height": 8},
        {"id": 11, "file_name": "elsewhere.png", "width": 10, "height": 8},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 40, "bbox": [1, 2, 3, 4], "iscrowd": 0},
        {"id": 2, "image_id": 9, "category_id": 3, "bbox": [0, 0, 10, 8.5]},
    ],
    "categories": [{"id": 40, "name": "dent"}, {"id": 3, "name": "scratch"}],
}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (10, 8)).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def masks(pictures: Path) -> Path:
    (pictures / "labels.csv").write_text("file,mask\na.png,a-mask.png\nb.png,b-mask.png\n")
    Image.new("L", (10, 8)).save(pictures / "a-mask.png")
    Image.new("P", (10, 8)).save(pictures / "b-mask.png")
    return pictures


@pytest.fixture
def boxes(pictures: Path) -> Path:
    (pictures / "labels.csv").write_text("file,split\na.png,public\nb.png,private\n")
    (pictures / "annotations.json").write_text(json.dumps(DOCUMENT))
    return pictures


def findings_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(DatasetProblem) as caught:
        checked(folder)
    return caught.value.findings


def write(folder: Path, section: str, place: int, **fields: object) -> None:
    """Write the annotations with one item changed; a field of None is left out."""
    document = copy.deepcopy(DOCUMENT)
    item = {**document[section][place], **fields}
    document[section][place] = {name: value for name, value in item.items() if value is not None}
    (folder / "annotations.json").write_text(json.dumps(document))


def test_masks_are_named_by_their_column(masks: Path) -> None:
    table = read_labels(masks)

    assert table.truth is TruthKind.MASKS
    assert [row.mask for row in table.rows] == ["a-mask.png", "b-mask.png"]
    assert table.named_files() == ("a-mask.png", "a.png", "b-mask.png", "b.png")
    assert count_labels(table, table.rows) == {}


@pytest.mark.parametrize("mode", ["RGB", "1", "I;16", "RGBA", "LA"])
def test_a_mask_must_hold_class_numbers(mode: str, masks: Path) -> None:
    Image.new(mode, (10, 8)).save(masks / "a-mask.png")

    assert findings_of(masks) == (
        "row 1: “a-mask.png” is not a valid PNG of class numbers (8-bit grey, or a palette)",
    )


def test_a_mask_must_be_a_png(masks: Path) -> None:
    Image.new("L", (10, 8)).save(masks / "a-mask.png", format="JPEG")

    assert findings_of(masks)[0].startswith("row 1: “a-mask.png” is not a valid PNG")


def test_a_missing_mask_is_found(masks: Path) -> None:
    (masks / "b-mask.png").unlink()

    assert findings_of(masks) == ("row 2: “b-mask.png” is missing",)


def test_a_mask_must_not_lead_out_of_the_folder(masks: Path) -> None:
    (masks / "labels.csv").write_text("file,mask\na.png,../a-mask.png\n")

    assert findings_of(masks) == ("line 2: the mask's name “../a-mask.png” has an empty, “.” or “..” part",)


def test_boxes_are_read_with_classes_by_ascending_category(boxes: Path) -> None:
    table = read_labels(boxes)

    assert table.truth is TruthKind.BOXES
    assert table.classes == ("scratch", "dent")
    box = table.rows[0].picture.boxes[0]
    assert (box.left, box.top, box.right, box.bottom, box.number, box.crowd) == (1, 2, 4, 6, 1, False)
    assert count_labels(table, table.rows) == {0: 1, 1: 1}


@pytest.mark.parametrize("name", ["a-mask.png", "a.png", "labels.csv"])
def test_each_file_of_masks_is_in_the_digest(name: str, masks: Path) -> None:
    before = dataset_digest(masks, read_labels(masks))

    with (masks / name).open("ab") as stream:
        stream.write(b"\n")

    assert dataset_digest(masks, read_labels(masks)) != before


def test_the_annotations_may_begin_with_a_mark_of_utf_8(boxes: Path) -> None:
    """As Windows' editors write it."""
    path, findings = boxes / "annotations.json", []
    plain = read_annotations(path, findings)
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())

    assert read_annotations(path, findings) == plain
    assert findings == []


def test_the_annotations_are_in_the_digest(boxes: Path) -> None:
    before = dataset_digest(boxes, read_labels(boxes))

    write(boxes, "annotations", 0, bbox=[1, 2, 3, 5])

    assert dataset_digest(boxes, read_labels(boxes)) != before


@pytest.mark.parametrize(
    ("section", "place", "fields", "finding"),
    [
        ("images", 0, {"id": "7"}, "images[0] has no whole number as its id"),
        ("images", 0, {"id": True}, "images[0] has no whole number as its id"),
        ("images", 1, {"id": 7}, "images[1] has the id 7, which another already has"),
        ("images", 0, {"file_name": None}, "images[0] has no file_name"),
        ("images", 0, {"width": 0}, "images[0] has no width and height in pixels"),
        ("images", 0, {"height": 1.5}, "images[0] has no width and height in pixels"),
        ("images", 0, {"file_name": "b.png"}, "“b.png” is listed twice"),
        ("categories", 0, {"name": None}, "categories[0] has no name"),
        ("categories", 0, {"id": 3}, "categories[1] has the id 3, which another already has"),
        ("annotations", 0, {"image_id": 8}, "annotations[0] names the image 8, which is not listed"),
        ("annotations", 0, {"category_id": 1}, "annotations[0] names the category 1, which is not listed"),
        ("annotations", 0, {"iscrowd": 2}, "annotations[0] has an iscrowd that is neither 0 nor 1"),
        ("annotations", 0, {"bbox": None}, "annotations[0] has no bbox of four numbers"),
        ("annotations", 0, {"bbox": [1, 2, "3", 4]}, "annotations[0] has no bbox of four numbers"),
        ("annotations", 0, {"bbox": [1, 2, float("nan"), 4]}, "annotations[0] has no bbox of four numbers"),
        (
            "annotations",
            0,
            {"bbox": [1, 2, -3, 4]},
            "annotations[0] has a bbox of negative width or height (-3 x 4)",
        ),
        (
            "annotations",
            0,
            {"bbox": [8, 2, 4, 4]},
            "annotations[0] has a bbox that extends outside its picture",
        ),
        (
            "annotations",
            0,
            {"bbox": [-2, 2, 4, 4]},
            "annotations[0] has a bbox that extends outside its picture",
        ),
    ],
)
def test_a_wrong_annotation_is_found(
    section: str, place: int, fields: dict[str, object], finding: str, boxes: Path
) -> None:
    write(boxes, section, place, **fields)

    assert any(found.startswith(f"annotations.json: {finding}") for found in findings_of(boxes))


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"images": {}}', "[" * 100_000])
def test_annotations_of_another_shape_are_found(text: str, boxes: Path) -> None:
    (boxes / "annotations.json").write_text(text)

    assert findings_of(boxes)


def test_a_picture_that_nobody_annotated_is_found(boxes: Path) -> None:
    write(boxes, "images", 1, file_name="c.png")

    assert findings_of(boxes) == ("row 2: “b.png” is not listed in the images of annotations.json",)


def test_boxes_cannot_be_weighed(boxes: Path) -> None:
    (boxes / "labels.csv").write_text("file,weight\na.png,2\n")

    assert findings_of(boxes) == ("line 1: boxes cannot have weights; remove the column “weight”",)


def test_labels_and_annotations_exclude_each_other(boxes: Path) -> None:
    (boxes / "labels.csv").write_text("file,label\na.png,2\n")

    assert findings_of(boxes) == ("line 1: annotations.json has the labels, so remove the column “label”",)


@pytest.mark.parametrize("sides", [[0, 4], [3, 0], [0, 0]])
def test_a_box_without_area_is_left_out_with_a_warning_that_names_its_picture(
    boxes: Path, sides: list[int]
) -> None:
    write(boxes, "annotations", 0, bbox=[1, 2, *sides])

    table = read_labels(boxes)

    assert count_labels(table, table.rows) == {0: 1}
    assert table.warnings == (
        "annotations.json: annotations[0] of “a.png” is left out: "
        f"its bbox is {sides[0]} x {sides[1]} and has no area",
    )


def test_annotations_compose_names_as_they_like(boxes: Path) -> None:
    (boxes / "a.png").rename(boxes / "cafe\u0301.png")
    (boxes / "labels.csv").write_text("file\ncaf\u00e9.png\n")
    write(boxes, "images", 0, file_name="caf\u00e9.png")

    table = read_labels(boxes)

    assert [row.file for row in table.rows] == ["cafe\u0301.png"]
    assert count_labels(table, table.rows) == {1: 1}
