"""Tracks of class maps and boxes on the site: columns, imports, readiness, pages, examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.management import call_command
from django.test import Client

from competition.tracks import services
from competition.tracks.datasets import materialise
from competition.tracks.models import Competition, Dataset, Track
from competition.tracks.readiness import examine
from competition.tracks.wording import example_model, output_in_words
from scoring.contracts import BoxLayout, Split
from scoring.data.labels import read_labels
from scoring.tracks import TrackDocument, build_track
from tests.competition.tracks.conftest import png
from tests.examples import set_fields

BASICS: dict[str, Any] = {"name": "A track", "formats": ["cvpr-zip"], "rules": "Be kind."}
MAPS = {
    **BASICS,
    "slug": "maps",
    "input": {"shape": [3, 16, 32]},
    "output": {"kind": "class_map", "classes": 3},
    "metric": "miou",
}
BOXES = {
    **BASICS,
    "slug": "boxes",
    "input": {"shape": [3, 16, 32]},
    "output": {"kind": "boxes", "classes": 2, "box_layout": "yolo"},
    "metric": "coco_map",
}
CORNERS = {**BOXES, "output": {"kind": "boxes", "classes": 2, "box_layout": "corners"}}


def document(track: dict[str, Any]) -> TrackDocument:
    return build_track(track)


def failed(track: Track) -> set[str]:
    return {check.name for check in examine(track) if not check.ok}


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    for name in ("a.png", "b.png", "a-mask.png", "b-mask.png"):
        (folder / name).write_bytes(png(1))
    (folder / "labels.csv").write_text("file,mask,split\na.png,a-mask.png,public\nb.png,b-mask.png,private\n")
    return folder


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    folder = tmp_path / "boxes"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(png(1))
    (folder / "labels.csv").write_text("file,split\na.png,public\nb.png,private\n")
    annotations = {
        "images": [{"id": k, "file_name": f"{'ab'[k]}.png", "width": 1, "height": 1} for k in range(2)],
        "annotations": [{"id": 1, "image_id": 0, "category_id": 5, "bbox": [0, 0, 1, 1]}],
        "categories": [{"id": 5, "name": "dent"}, {"id": 6, "name": "scratch"}],
    }
    (folder / "annotations.json").write_text(json.dumps(annotations))
    return folder


@pytest.fixture
def make_track(competition: Competition) -> Callable[..., Track]:
    def make(track: dict[str, Any], dataset: Dataset) -> Track:
        return services.bring_in_line(
            document=document(track), competition=competition, dataset=dataset
        ).track

    return make


@pytest.mark.django_db
@pytest.mark.parametrize("track", [MAPS, BOXES, CORNERS])
def test_a_document_comes_back_from_its_columns(track: dict[str, Any], competition: Competition) -> None:
    row = services.bring_in_line(document=document(track), competition=competition, dataset=None).track

    assert Track.objects.get(pk=row.pk).document() == document(track)


@pytest.mark.django_db
def test_masks_are_stored_with_their_pictures(masks: Path, tmp_path: Path) -> None:
    dataset = services.import_dataset_folder(name="masks", folder=masks)

    table = read_labels(materialise(dataset, tmp_path / "cache"))
    assert [row.mask for row in table.rows] == ["a-mask.png", "b-mask.png"]
    assert (dataset.truth, dataset.label_counts) == ("masks", {"public": {}, "private": {}})


@pytest.mark.django_db
def test_boxes_are_stored_with_their_annotations_and_counted(boxes: Path, tmp_path: Path) -> None:
    dataset = services.import_dataset_folder(name="boxes", folder=boxes)

    table = read_labels(materialise(dataset, tmp_path / "cache"))
    assert table.classes == ("dent", "scratch")
    assert (dataset.truth, dataset.highest_label) == ("boxes", 1)
    assert dataset.labels(Split.PUBLIC) == {0: 1}


@pytest.mark.django_db
def test_a_track_of_maps_with_masks_is_ready(masks: Path, make_track: Callable[..., Track]) -> None:
    track = make_track(MAPS, services.import_dataset_folder(name="masks", folder=masks))

    assert failed(track) == set()


@pytest.mark.django_db
def test_a_box_without_area_is_told_to_who_imports_it(
    boxes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((boxes / "annotations.json").read_text())
    document["annotations"].append({"id": 2, "image_id": 0, "category_id": 5, "bbox": [0, 0, 0, 1]})
    (boxes / "annotations.json").write_text(json.dumps(document))
    warnings: list[str] = []

    services.import_dataset_folder(name="boxes", folder=boxes, warn=warnings.append)
    call_command("import_dataset", str(boxes))

    assert [text.partition(" is left out")[0] for text in warnings] == [
        "annotations.json: annotations[1] of “a.png”"
    ]
    assert capsys.readouterr().err == f"warning: {warnings[0]}\n"


def test_a_split_without_a_box_is_found(boxes: Path, make_track: Callable[..., Track]) -> None:
    track = make_track(BOXES, services.import_dataset_folder(name="boxes", folder=boxes))

    assert failed(track) == {"Boxes"}


@pytest.mark.django_db
def test_another_number_of_categories_is_found(boxes: Path, make_track: Callable[..., Track]) -> None:
    (boxes / "labels.csv").write_text("file\na.png\n")
    track = make_track(BOXES, services.import_dataset_folder(name="boxes", folder=boxes))
    set_fields(track, output__classes=3)

    assert failed(track) == {"Labels"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other", [BOXES, {**MAPS, "output": {"kind": "logits", "width": 3}, "metric": "accuracy"}]
)
def test_masks_do_not_fit_another_output(
    other: dict[str, Any], masks: Path, make_track: Callable[..., Track]
) -> None:
    track = make_track(other, services.import_dataset_folder(name="masks", folder=masks))

    assert failed(track) == {"Labels"}


@pytest.mark.django_db
def test_the_page_of_a_track_says_what_boxes_are(
    boxes: Path, make_track: Callable[..., Track], client: Client
) -> None:
    (boxes / "labels.csv").write_text("file\na.png\n")
    track = make_track(BOXES, services.import_dataset_folder(name="boxes", folder=boxes))
    Competition.objects.update(is_public=True)
    services.open_track(track=track)

    page = client.get(track.get_absolute_url()).content.decode()

    assert "N × 6 × anchors" in page


@pytest.mark.parametrize(
    ("track", "words", "shape"),
    [
        (MAPS, "N × 3 × 16 × 32", (2, 3, 16, 32)),
        (BOXES, "N × 6 × anchors", (2, 6, 2)),
        (CORNERS, "N × boxes × 6", (2, 2, 6)),
    ],
)
def test_the_example_model_returns_what_the_words_say(
    track: dict[str, Any], words: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    spec = document(track).spec
    names: dict[str, Any] = {"__file__": str(tmp_path / "model.py")}

    exec(compile(example_model(spec), "model.py", "exec"), names)  # noqa: S102 - the text under test is a program

    with torch.no_grad():
        assert tuple(names["Model"]()(torch.zeros(2, 3, 16, 32)).shape) == shape
    assert output_in_words(spec.output, spec.input)["Shape"] == words


def test_only_boxes_have_a_layout() -> None:
    assert document(BOXES).spec.output.box_layout is BoxLayout.YOLO
    assert document(MAPS).spec.output.box_layout is None
