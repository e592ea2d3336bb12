"""Corners of a BYOM package's documents: sections of another kind, doubled stages, files that are no models."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoring.contracts import (
    BoxLayout,
    OutputContract,
    OutputKind,
    Package,
    TrackSpec,
    Unpacked,
    UnpackedFile,
)
from scoring.errors import Rejected, render_all
from scoring.packages import byom
from scoring.packages.byom.documents import shown
from scoring.packages.byom.files import NO_MODEL
from scoring.tracks import load_track
from tests.golden.byom import MODEL, byom_files

MANIFEST = "export_artifacts/manifest.json"
TRACK = load_track("byom-classification").spec
ANOMALY = load_track("byom-anomaly").spec
STAGE = {"type": "classification", "input_shape": [1, 3, 32, 32]}


def package(root: Path, files: dict[str, bytes]) -> Package:
    for name, raw in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(raw)
    listed = tuple(UnpackedFile(path=name, size=len(raw)) for name, raw in sorted(files.items()))
    found = byom.match(Unpacked(root=root, files=listed, package_bytes=0))
    assert isinstance(found, Package)
    return found


def told(root: Path, files: dict[str, bytes], track: TrackSpec = TRACK) -> list[tuple[str, str, object]]:
    with pytest.raises(Rejected) as caught:
        byom.check(package(root, files), track)
    render_all(caught.value.findings)
    return [(finding.code, finding.path, finding.facts.get("why")) for finding in caught.value.findings]


def whys(root: Path, document: str, field: str, value: object, track: TrackSpec = TRACK) -> list[object]:
    return [why for _, _, why in told(root, byom_files({"set": {document: {field: value}}}), track)]


@pytest.mark.parametrize(
    "shape",
    [None, "1,3,32,32", [1, 3, 32], [1, 3, 32, 32, 1], [1, 3, True, 32], [0, 3, 32, 32], [1, 3, -1, 32]],
)
def test_the_shape_of_the_compilable_input_is_checked_like_any_other(tmp_path: Path, shape: object) -> None:
    found = whys(tmp_path, MANIFEST, "compilable_models.0.data_input_config.input", shape)

    place = "manifest.json 'compilable_models[0].data_input_config': Invalid input_shape"
    assert [str(why).startswith(place) for why in found] == [True]


@pytest.mark.parametrize(
    ("document", "field", "value", "why"),
    [
        ("config.yaml", "dataset", None, "config.yaml missing 'dataset' section"),
        (
            "config.yaml",
            "dataset.class_names",
            "good, bad",
            "config.yaml 'dataset.class_names' must be a non-empty list, not “good, bad”",
        ),
        (
            "config.yaml",
            "dataset.class_names",
            ["good", "bad"],
            "the number of classes differs: 10 in config.yaml, 2 in 'dataset.class_names', 10 in mochi.json",
        ),
        ("mochi.json", "stages", {"0": STAGE}, "mochi.json 'stages' must be a non-empty array"),
        (
            "mochi.json",
            "stages.0.input_shape",
            [3, 32, 32],
            "Invalid input_shape: [3, 32, 32]. Must be [batch, channels, height, width]",
        ),
        (
            "mochi.json",
            "stages.0.type",
            "regression",
            "'stages[0].type' is “regression”; choose from classification, multi_class_classification, "
            "anomaly_detection, object_detection, semantic_segmentation",
        ),
        (
            "mochi.json",
            "stages.0.type",
            "semantic_segmentation",
            "'stages[0].type' is “semantic_segmentation”; this track asks for logits "
            "(classification, multi_class_classification, anomaly_detection)",
        ),
        (
            "mochi.json",
            "stages.0.output_shape",
            [1, 7],
            "Invalid output_shape: [1, 7]. This track asks for [batch, 10]",
        ),
        (
            "mochi.json",
            "model_info.architecture",
            18,
            "mochi.json 'model_info.architecture' must be a name, not 18",
        ),
        (
            MANIFEST,
            "compilable_models",
            [{"filename": "model.pt"}, {"filename": "other.pt"}],
            "manifest.json 'compilable_models' lists 2 models; exactly one is allowed",
        ),
        (
            MANIFEST,
            "compilable_models.0.filename",
            ["model.pt"],
            "manifest.json 'compilable_models[0].filename' must be a name, not [“model.pt”]",
        ),
        (
            MANIFEST,
            "compilable_models.0.filename",
            "other.pt",
            "'compilable_models[0].filename' is “other.pt”, but the file in export_artifacts/ is “model.pt”",
        ),
        (
            MANIFEST,
            "compilable_models.0.data_input_config",
            {},
            "manifest.json 'compilable_models[0].data_input_config' must name one input, not {…}",
        ),
        (
            MANIFEST,
            "preprocessing.normalise",
            {"mean": [0, 0, 0]},
            "'preprocessing.normalise' is unknown, perhaps meant as normalize",
        ),
        (
            MANIFEST,
            "preprocessing.normalize",
            {"mean": [0, 0, 0]},
            "'preprocessing.normalize' must hold mean and std, not {…}",
        ),
        (
            MANIFEST,
            "postprocessing.type",
            "yolo_nms",
            "'postprocessing.type' is “yolo_nms”; for logits it may be softmax, argmax, sigmoid, or left out",
        ),
    ],
)
def test_a_field_of_another_kind_is_told_in_words(
    tmp_path: Path, document: str, field: str, value: object, why: str
) -> None:
    assert why in whys(tmp_path, document, field, value)


def test_a_shape_that_stands_nowhere_in_the_manifest_is_missed(tmp_path: Path) -> None:
    changes = {"input_shape": None, "model_graph.stages.0.input_shape": None}

    found = told(tmp_path, byom_files({"set": {MANIFEST: changes}}))

    why = "manifest.json missing 'input_shape'. Must be in root or model_graph.stages[0]"
    assert found == [("invalid_config", MANIFEST, why)]


@pytest.mark.parametrize("mochi", ["{,", '{"stages": [{"type": "classification"}]}'])
def test_config_and_manifest_are_compared_without_a_shape_in_mochi(tmp_path: Path, mochi: str) -> None:
    changes = {"config.yaml": {"dataset.image_width": 64}}

    found = told(tmp_path, byom_files({"set": changes, "text": {"mochi.json": mochi}}))

    why = (
        "Dimension mismatch: config.yaml has 64x32, but input_shape is [_, _, 32, 32]. "
        "Image dimensions must match"
    )
    assert ("invalid_config", MANIFEST, why) in found


@pytest.mark.parametrize(
    ("field", "value"),
    [("model_graph.stages.0.type", "anomaly_detection"), ("input_shape", [2, 3, 32, 32])],
)
def test_a_manifest_that_disagrees_is_told_under_its_name(tmp_path: Path, field: str, value: object) -> None:
    found = told(tmp_path, byom_files({"set": {MANIFEST: {field: value}}}))

    assert [path for _, path, _ in found] == [MANIFEST]


def test_a_confidence_needs_its_output_shape(tmp_path: Path) -> None:
    stage = {
        "stages.0.type": "anomaly_detection",
        "stages.0.output_shape": None,
        "stages.0.num_classes": None,
    }
    changes = {
        "config.yaml": {"dataset.num_classes": None},
        "mochi.json": stage,
        MANIFEST: {"model_graph.stages.0.type": "anomaly_detection"},
    }

    found = told(tmp_path, byom_files({"set": changes}), ANOMALY)

    why = "mochi.json missing 'stages[0].output_shape', which says whether the model returns 1 or 2 numbers"
    assert [each for _, _, each in found] == [why]


def test_a_package_without_model_info_is_sound(tmp_path: Path) -> None:
    found = package(tmp_path, byom_files({"set": {"mochi.json": {"model_info": None}}}))

    assert byom.check(found, TRACK) == ()


def test_a_package_without_pre_and_postprocessing_is_sound(tmp_path: Path) -> None:
    changes = {"preprocessing": None, "postprocessing": None}

    found = package(tmp_path, byom_files({"set": {MANIFEST: changes}}))

    assert byom.check(found, TRACK) == ()


def test_without_a_model_the_manifests_filename_is_not_compared(tmp_path: Path) -> None:
    found = told(tmp_path, byom_files({"leave_out": [MODEL]}))

    assert found == [("invalid_config", "export_artifacts", NO_MODEL)]


def test_two_models_are_told(tmp_path: Path) -> None:
    files = {**byom_files({}), "export_artifacts/other.pt": b"PK\x03\x04"}

    why = (
        "2 .pt model files found: export_artifacts/model.pt, export_artifacts/other.pt; "
        "exactly one is allowed, in export_artifacts/"
    )
    assert ("invalid_config", "export_artifacts", why) in told(tmp_path, files)


def test_a_folder_beside_the_model_is_no_second_model(tmp_path: Path) -> None:
    found = package(tmp_path, {**byom_files({}), "export_artifacts/other.pt/data.txt": b""})

    assert byom.check(found, TRACK) == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "it is empty"), (b"\x7fELF", "it was not written by torch.save or torch.jit.save")],
)
def test_a_file_that_is_no_model_is_told_before_it_is_loaded(
    tmp_path: Path, content: bytes, why: str
) -> None:
    assert told(tmp_path, {**byom_files({}), MODEL: content}) == [("invalid_weights", MODEL, why)]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("config.yaml", " \n", "config.yaml is empty"),
        ("config.yaml", "{}", "config.yaml is empty"),
        ("config.yaml", "# nothing\n", "config.yaml is empty"),
        ("config.yaml", "null", "config.yaml is empty"),
        ("mochi.json", "null", "mochi.json is empty"),
        ("mochi.json", "[" * 60 + "]" * 60, "Invalid JSON in mochi.json: too deeply nested"),
        ("config.yaml", "- a", "Invalid YAML in config.yaml: it must be a mapping of fields"),
        ("mochi.json", '["a"]', "mochi.json must be a mapping, not [“a”]"),
        ("mochi.json", "", "mochi.json is empty"),
        ("mochi.json", '{"stages": [}', "Invalid JSON in mochi.json: line 1, column 13: Expecting value"),
    ],
)
def test_a_document_that_cannot_be_read_is_told(tmp_path: Path, name: str, text: str, why: str) -> None:
    found = told(tmp_path, {**byom_files({}), name: text.encode()})

    assert ("invalid_config", name, why) in found


def test_a_document_of_megabytes_is_not_read(tmp_path: Path) -> None:
    found = told(tmp_path, {**byom_files({}), "mochi.json": b" " * 70_000 + b"{}"})

    assert ("invalid_config", "mochi.json", "mochi.json is longer than 65,536 bytes") in found


@pytest.mark.parametrize("shape", [[1, 300, 7], [1, 6, 6]], ids=["neither", "both"])
def test_a_shape_that_tells_no_layout_leaves_the_tracks(tmp_path: Path, shape: list[int]) -> None:
    output = OutputContract(kind=OutputKind.BOXES, classes=2, box_layout=BoxLayout.YOLO)
    changes = {"mochi.json": {"stages.0.output_shape": shape}, MANIFEST: {"postprocessing": None}}

    settled = byom.settle(package(tmp_path, byom_files({"set": changes})), replace(TRACK, output=output))

    assert settled.track.output.box_layout is BoxLayout.YOLO


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (10**400, "a huge number"),
        ({"a": 1}, "{…}"),
        ([[1, [2]], 3], "[[…], 3]"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, …]"),
        (datetime.date(2026, 1, 1), "date"),
    ],
)
def test_what_a_document_holds_is_shown_within_bounds(value: Any, words: str) -> None:
    assert shown(value) == words
