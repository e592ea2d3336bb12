"""Whether what a BYOM package says of its output and its classes is what its track asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoring.contracts import Package, TrackSpec, Unpacked, UnpackedFile
from scoring.errors import Rejected, render_all
from scoring.packages import byom
from scoring.tracks import load_track
from tests.golden.byom import byom_files

MANIFEST = "export_artifacts/manifest.json"
TRACKS = {
    name: load_track(f"byom-{name}").spec
    for name in ("classification", "anomaly", "detection", "segmentation")
}
ONE_NUMBER = replace(
    TRACKS["classification"], output=replace(TRACKS["classification"].output, width=1, class_names=())
)
TYPES = {
    "classification": "classification",
    "anomaly": "anomaly_detection",
    "detection": "object_detection",
    "segmentation": "semantic_segmentation",
}


def package(
    root: Path, kind: str, shape: list[int] | None, *, in_graph: bool = False, **dataset: Any
) -> Package:
    """Write a package of a type that answers with a shape, and with what else its dataset states."""
    stage = {"type": TYPES[kind], "input_shape": [1, 3, 32, 32]}
    answer = {} if shape is None else {"output_shape": shape}
    graph_stage = {**stage, **answer} if in_graph else stage
    changes = {
        "config.yaml": {"dataset": {"image_width": 32, "image_height": 32, **dataset}},
        "mochi.json": {"stages": [stage if in_graph else {**stage, **answer}]},
        MANIFEST: {"model_graph.stages": [graph_stage], "postprocessing": None},
    }
    files = byom_files({"set": changes})
    for name, raw in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(raw)
    listed = tuple(UnpackedFile(path=name, size=len(raw)) for name, raw in sorted(files.items()))
    found = byom.match(Unpacked(root=root, files=listed, package_bytes=0))
    assert isinstance(found, Package)
    return found


def told(found: Package, track: TrackSpec) -> list[tuple[str, object]]:
    with pytest.raises(Rejected) as caught:
        byom.check(found, track)
    render_all(caught.value.findings)
    return [(finding.path, finding.facts.get("why")) for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("kind", "shape", "asked"),
    [
        ("classification", [10], "[batch, 10]"),
        ("classification", [1, 10, 1], "[batch, 10]"),
        ("anomaly", [2], "[batch, 1] or [batch, 2]"),
        ("anomaly", [1, 2, 1], "[batch, 1] or [batch, 2]"),
        ("segmentation", [1, 21, 32, 32], "[batch, 3, 32, 32] or [batch, 32, 32]"),
        ("segmentation", [1, 3, 16, 16], "[batch, 3, 32, 32] or [batch, 32, 32]"),
        ("segmentation", [1, 32, 32, 3], "[batch, 3, 32, 32] or [batch, 32, 32]"),
        ("segmentation", [1, 3, 32], "[batch, 3, 32, 32] or [batch, 32, 32]"),
        ("detection", [1, 9, 84], "[batch, 84, anchors] or [batch, boxes, 6]"),
        ("detection", [84, 84], "[batch, 84, anchors] or [batch, boxes, 6]"),
        ("detection", [1, 84, 84, 1], "[batch, 84, anchors] or [batch, boxes, 6]"),
    ],
)
def test_an_output_shape_that_the_track_cannot_take_is_told(
    tmp_path: Path, kind: str, shape: list[int], asked: str
) -> None:
    why = f"Invalid output_shape: {shape}. This track asks for {asked}"

    assert ("mochi.json", why) in told(package(tmp_path, kind, shape), TRACKS[kind])


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("classification", [1, 10]),
        ("classification", [4, 10]),
        ("anomaly", [1, 1]),
        ("anomaly", [1, 2]),
        ("segmentation", [1, 3, 32, 32]),
        ("segmentation", [1, 32, 32]),
        ("detection", [1, 84, 21]),
        ("detection", [1, 300, 6]),
    ],
)
def test_an_output_shape_that_the_track_asks_for_is_taken(
    tmp_path: Path, kind: str, shape: list[int]
) -> None:
    assert byom.check(package(tmp_path, kind, shape), TRACKS[kind]) == ()


def test_an_output_shape_may_stand_in_the_manifests_graph_alone(tmp_path: Path) -> None:
    good = package(tmp_path / "good", "anomaly", [1, 2], in_graph=True)
    bad = package(tmp_path / "bad", "anomaly", [1, 3], in_graph=True)

    assert byom.check(good, TRACKS["anomaly"]) == ()
    assert byom.settle(good, TRACKS["anomaly"]).options["columns"] == 2
    assert [path for path, _ in told(bad, TRACKS["anomaly"])] == [MANIFEST]


@pytest.mark.parametrize(
    ("kind", "shape", "classes", "own"),
    [
        ("classification", [1, 10], 3, 10),
        ("classification", None, 3, 10),
        ("anomaly", [1, 2], 5, 2),
        ("anomaly", [1, 2], 1, 2),
        ("anomaly", [1, 1], 3, 2),
        ("anomaly", None, 5, 2),
        ("segmentation", [1, 3, 32, 32], 21, 3),
        ("segmentation", None, 21, 3),
    ],
)
def test_another_number_of_classes_than_the_tracks_is_told(
    tmp_path: Path, kind: str, shape: list[int] | None, classes: int, own: int
) -> None:
    why = f"config.yaml states {classes} classes, but this track has {own}"

    assert told(package(tmp_path, kind, shape, num_classes=classes), TRACKS[kind]) == [("config.yaml", why)]


@pytest.mark.parametrize(
    ("kind", "shape", "classes"),
    [("anomaly", [1, 1], 1), ("anomaly", [1, 1], 2), ("detection", [1, 84, 21], 5)],
)
def test_classes_are_counted_as_their_output_allows(
    tmp_path: Path, kind: str, shape: list[int], classes: int
) -> None:
    assert byom.check(package(tmp_path, kind, shape, num_classes=classes), TRACKS[kind]) == ()


@pytest.mark.parametrize("classes", [1, 2])
def test_one_logit_tells_two_classes(tmp_path: Path, classes: int) -> None:
    assert byom.check(package(tmp_path, "classification", [1, 1], num_classes=classes), ONE_NUMBER) == ()


@pytest.mark.parametrize(
    ("kind", "shape", "classes"),
    [("segmentation", [1, 3, 32, 32], 3), ("segmentation", [1, 32, 32], 3), ("anomaly", [1, 1], 1)],
)
def test_an_architecture_is_built_for_what_the_output_shape_says(
    tmp_path: Path, kind: str, shape: list[int], classes: int
) -> None:
    settled = byom.settle(package(tmp_path, kind, shape), TRACKS[kind])

    assert settled.options["num_classes"] == classes


@pytest.mark.parametrize("names", [["anomaly", "normal"], ["Anomaly", "Normal"]])
def test_names_in_another_order_than_the_tracks_are_told(tmp_path: Path, names: list[str]) -> None:
    found = told(package(tmp_path, "anomaly", [1, 2], class_names=names), TRACKS["anomaly"])

    assert [
        (path, str(why).endswith("classes, starting from 0, are normal, anomaly")) for path, why in found
    ] == [("config.yaml", True)]


@pytest.mark.parametrize("names", [["normal", "anomaly"], ["Normal", "Anomaly"], ["good", "defect"]])
def test_names_of_ones_own_are_taken(tmp_path: Path, names: list[str]) -> None:
    assert byom.check(package(tmp_path, "anomaly", [1, 2], class_names=names), TRACKS["anomaly"]) == ()


@pytest.mark.parametrize("names", [["a", 1], [None, "a"], ["a", " "], ["a", "a"], [["a"], "b"]])
def test_class_names_are_names_and_each_stands_once(tmp_path: Path, names: list[object]) -> None:
    found = told(package(tmp_path, "anomaly", [1, 2], class_names=names), TRACKS["anomaly"])

    assert [path for path, _ in found] == ["config.yaml"]
