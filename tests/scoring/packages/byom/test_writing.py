"""The documents that are written for a model pass their own check, and say what the track fed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from scoring.contracts import (
    BoxLayout,
    ChannelOrder,
    Dtype,
    Format,
    InputContract,
    OutputContract,
    OutputKind,
    Package,
    TrackSpec,
    Unpacked,
    UnpackedFile,
)
from scoring.packages import byom
from scoring.packages.byom.documents import CONFIG, MANIFEST, MOCHI
from scoring.packages.byom.writing import MODEL, byom_track, documents
from scoring.tracks import load_track

INPUT = InputContract(shape=(3, 24, 32), channel_order=ChannelOrder.BGR)
TRACK = replace(load_track("cvpr2022-track1").spec, input=INPUT)
YOLO = OutputContract(kind=OutputKind.BOXES, classes=2, box_layout=BoxLayout.YOLO)
CORNERS = replace(YOLO, box_layout=BoxLayout.CORNERS)
OUTPUTS = {
    "one_logit": (OutputContract(kind=OutputKind.LOGITS, width=1), (1, 1), "classification"),
    "two_logits": (OutputContract(kind=OutputKind.LOGITS, width=2), (1, 2), "classification"),
    "three_logits_of_two_classes": (
        OutputContract(kind=OutputKind.LOGITS, width=3, classes=2, class_names=("real", "synthetic")),
        (1, 3),
        "multi_class_classification",
    ),
    "logits": (OutputContract(kind=OutputKind.LOGITS, width=10), (1, 10), "multi_class_classification"),
    "confidence": (OutputContract(kind=OutputKind.CONFIDENCE, width=1), (1, 1), "anomaly_detection"),
    "map": (OutputContract(kind=OutputKind.CLASS_MAP, classes=3), (1, 3, 24, 32), "semantic_segmentation"),
    "class_numbers": (
        OutputContract(kind=OutputKind.CLASS_MAP, classes=3),
        (1, 24, 32),
        "semantic_segmentation",
    ),
    "yolo": (YOLO, (1, 6, 50), "object_detection"),
    "corners": (CORNERS, (1, 50, 6), "object_detection"),
}


def written(track: TrackSpec, shape: tuple[int, ...], **options: object) -> tuple[dict, dict, dict]:
    files = documents(track, options, output_shape=shape, name="a model")
    return yaml.safe_load(files[CONFIG]), json.loads(files[MOCHI]), json.loads(files[MANIFEST])


def manifest(contract: InputContract = INPUT, output: OutputContract = YOLO, **options: object) -> Any:
    return written(replace(TRACK, input=contract, output=output), (1, 6, 50), **options)[2]


def package(root: Path, track: TrackSpec, shape: tuple[int, ...], **options: object) -> Package:
    files = {**documents(track, options, output_shape=shape, name="m"), MODEL: b"PK\x03\x04"}
    for name, raw in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(raw)
    listed = tuple(UnpackedFile(path=name, size=len(raw)) for name, raw in sorted(files.items()))
    found = byom.match(Unpacked(root=root, files=listed, package_bytes=0))
    assert isinstance(found, Package)
    return found


@pytest.mark.parametrize("kind", OUTPUTS)
def test_what_is_written_passes_the_check_of_its_track(tmp_path: Path, kind: str) -> None:
    output, shape, _ = OUTPUTS[kind]
    track = replace(TRACK, output=output)

    found = package(tmp_path, track, shape)

    assert byom.check(found, byom_track(track)) == ()


@pytest.mark.parametrize("kind", OUTPUTS)
def test_the_type_follows_from_the_tracks_output(kind: str) -> None:
    output, shape, expected = OUTPUTS[kind]

    assert written(replace(TRACK, output=output), shape)[1]["stages"][0]["type"] == expected


def test_size_and_channel_order_are_the_tracks() -> None:
    config, mochi, manifest = written(TRACK, (1, 100))

    assert (config["dataset"]["image_width"], config["dataset"]["image_height"]) == (32, 24)
    assert mochi["stages"][0]["input_shape"] == manifest["input_shape"] == [1, 3, 24, 32]
    assert manifest["preprocessing"] == {"resize": [24, 32], "channel_order": "BGR"}


def test_the_settled_input_is_the_tracks_again(tmp_path: Path) -> None:
    contract = replace(INPUT, low=-1.0, high=1.0)
    track = replace(TRACK, input=contract)

    settled = byom.settle(package(tmp_path, track, (1, 100)), byom_track(track)).track.input

    # x from 0 to 1 becomes 2 x - 1.
    assert (settled.mean, settled.std) == ((0.5,) * 3, (0.5,) * 3)
    assert (settled.shape, settled.low, settled.high) == ((3, 24, 32), 0.0, 1.0)
    assert settled.channel_order is ChannelOrder.BGR


def test_a_normalisation_of_another_range_is_brought_to_shares() -> None:
    contract = replace(INPUT, low=0.0, high=255.0, mean=(51.0, 102.0, 0.0), std=(25.5, 255.0, 510.0))

    assert manifest(contract)["preprocessing"]["normalize"] == {
        "mean": [0.2, 0.4, 0.0],
        "std": [0.1, 1.0, 2.0],
    }


def test_bytes_need_no_normalisation() -> None:
    contract = replace(INPUT, dtype=Dtype.UINT8, high=255.0)

    assert "normalize" not in manifest(contract)["preprocessing"]


def test_thresholds_that_nobody_stated_are_written_down() -> None:
    assert manifest()["postprocessing"] == {
        "type": "yolo_nms",
        "confidence_threshold": 0.001,
        "nms_threshold": 0.7,
    }


def test_boxes_by_their_corners_keep_overlaps() -> None:
    assert manifest(output=CORNERS)["postprocessing"] == {"confidence_threshold": 0.001}


def test_stated_thresholds_stay() -> None:
    stated = {"confidence_threshold": 0.25, "nms_threshold": 0.45}

    assert manifest(**stated)["postprocessing"] == {"type": "yolo_nms", **stated}
    assert manifest(output=CORNERS, **stated)["postprocessing"] == {"type": "nms", **stated}


@pytest.mark.parametrize(("kind", "name"), [("logits", "softmax"), ("confidence", "anomaly_score")])
def test_a_threshold_stays(kind: str, name: str) -> None:
    output, shape, _ = OUTPUTS[kind]

    found = written(replace(TRACK, output=output), shape, threshold=0.75)[2]

    assert found["postprocessing"] == {"type": name, "threshold": 0.75}


def test_a_map_is_the_best_class_of_each_pixel() -> None:
    assert manifest(output=OUTPUTS["map"][0])["postprocessing"] == {"type": "argmax_per_pixel"}


def test_classes_have_the_tracks_names(tmp_path: Path) -> None:
    output = OutputContract(kind=OutputKind.CONFIDENCE, width=1, class_names=("good", "schlecht: ä"))
    track = replace(TRACK, output=output)

    config, _, _ = written(track, (1, 1))

    assert config["dataset"]["class_names"] == ["good", "schlecht: ä"]
    assert config["dataset"]["num_classes"] == 2
    assert byom.check(package(tmp_path, track, (1, 1)), byom_track(track)) == ()


def test_the_name_is_plain() -> None:
    _, mochi, _ = written(TRACK, (1, 100))

    assert mochi["model_info"]["name"] == "a-model"


def test_a_name_without_a_plain_letter_becomes_one() -> None:
    files = documents(TRACK, {}, output_shape=(1, 100), name="")

    assert json.loads(files[MOCHI])["model_info"]["name"] == "model"


def test_the_tracks_version_for_packages_takes_floats_of_any_package() -> None:
    track = byom_track(replace(TRACK, input=replace(INPUT, dtype=Dtype.UINT8, high=255.0)))

    assert track.formats == (Format.BYOM,)
    assert (track.input.dtype, track.input.low, track.input.high) == (Dtype.FLOAT32, 0.0, 1.0)


def test_one_value_for_all_channels_is_written_for_each() -> None:
    contract = replace(INPUT, mean=(0.5,), std=(0.25, 0.5, 0.25))

    written_down = manifest(contract)["preprocessing"]["normalize"]

    assert written_down == {"mean": [0.5] * 3, "std": [0.25, 0.5, 0.25]}
