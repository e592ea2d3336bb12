"""The five examples of the portal's guide by their fields: each is taken on a track of its kind, at its size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoring.contracts import BoxLayout, Package, TrackSpec, Unpacked, UnpackedFile
from scoring.errors import Rejected
from scoring.packages import byom
from scoring.tracks import load_track
from tests.golden.byom import byom_files

MANIFEST = "export_artifacts/manifest.json"
NEUTRAL = ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALVES = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
SHARES = {"confidence_threshold": 0.25, "nms_threshold": 0.45}
# type, side, classes, output_shape, normalisation, further words of the stage, postprocessing
EXAMPLES: dict[str, tuple[Any, ...]] = {
    "detection": (
        "yolov10_object_detection",
        640,
        5,
        [1, 84, 8400],
        NEUTRAL,
        SHARES,
        {"type": "yolo_nms", **SHARES},
    ),
    "two-classes": (
        "classification",
        224,
        2,
        [1, 2],
        IMAGENET,
        {},
        {"type": "softmax", "threshold": 0.5},
    ),
    "ten-classes": ("multi_class_classification", 256, 10, [1, 10], IMAGENET, {}, {"type": "argmax"}),
    "anomaly": (
        "anomaly_detection",
        224,
        2,
        [1, 2],
        HALVES,
        {"anomaly_threshold": 0.5},
        {"type": "anomaly_score", "threshold": 0.5},
    ),
    "segmentation": (
        "semantic_segmentation",
        512,
        3,
        [1, 3, 512, 512],
        IMAGENET,
        {},
        {"type": "argmax_per_pixel"},
    ),
}
PRESETS = {
    "detection": "byom-detection",
    "two-classes": "byom-classification",
    "ten-classes": "byom-classification",
    "anomaly": "byom-anomaly",
    "segmentation": "byom-segmentation",
}


def package_of(example: str, root: Path) -> Package:
    kind, side, classes, output, (mean, std), words, after = EXAMPLES[example]
    shape = [1, 3, side, side]
    stage = {"type": kind, "input_shape": shape, "output_shape": output}
    files = byom_files(
        {
            "set": {
                "config.yaml": {
                    "dataset": {
                        "image_width": side,
                        "image_height": side,
                        "num_classes": classes,
                        "class_names": [f"class_{number}" for number in range(classes)],
                    }
                },
                "mochi.json": {"stages": [{**stage, "num_classes": classes, **words}]},
                MANIFEST: {
                    "model_graph": {"stages": [stage]},
                    "input_shape": shape,
                    "compilable_models.0.data_input_config": {"input": shape},
                    "preprocessing": {
                        "resize": [side, side],
                        "normalize": {"mean": mean, "std": std},
                        "channel_order": "RGB",
                    },
                    "postprocessing": after,
                },
            }
        }
    )
    for name, raw in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(raw)
    listed = tuple(UnpackedFile(path=name, size=len(raw)) for name, raw in sorted(files.items()))
    found = byom.match(Unpacked(root=root, files=listed, package_bytes=sum(map(len, files.values()))))
    assert isinstance(found, Package)
    return found


def track_of(example: str) -> TrackSpec:
    """Return the preset of the example's kind; one of logits has as many classes as the example."""
    spec = load_track(PRESETS[example]).spec
    classes = {"two-classes": 2, "ten-classes": 10}.get(example, spec.output.width)
    return replace(spec, output=replace(spec.output, width=classes))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_guide_is_taken_at_its_size(example: str, tmp_path: Path) -> None:
    package, track = package_of(example, tmp_path), track_of(example)

    assert byom.check(package, track) == ()
    side = EXAMPLES[example][1]
    assert byom.settle(package, track).track.input.shape == (3, side, side)


def test_the_example_of_detection_is_taken_on_a_track_of_its_five_classes(tmp_path: Path) -> None:
    """It states five classes and, with 84 numbers an anchor, the head of a model of eighty."""
    package, track = package_of("detection", tmp_path), track_of("detection")
    track = replace(track, output=replace(track.output, classes=5))

    (warning,) = byom.check(package, track)
    settled = byom.settle(package, track)

    assert (warning.code, warning.facts) == ("further_classes_dropped", {"found": 80, "allowed": 5})
    assert settled.options["box_rows"] == 84
    assert settled.track.output.box_layout is BoxLayout.YOLO


@pytest.mark.parametrize("shape", [[1, 8400, 84], [1, 8, 8400], [1, 84, 84]])
def test_boxes_laid_out_otherwise_are_not_taken_for_more_classes(tmp_path: Path, shape: list[int]) -> None:
    package, track = package_of("detection", tmp_path), track_of("detection")
    track = replace(track, output=replace(track.output, classes=5))
    for name in ("mochi.json", MANIFEST):
        text = (package.root / name).read_text()
        (package.root / name).write_text(text.replace("[1, 84, 8400]", str(shape)))

    with pytest.raises(Rejected) as refused:
        byom.check(package, track)

    assert {str(finding.facts["why"]) for finding in refused.value.findings} == {
        f"Invalid output_shape: {shape}. This track asks for [batch, 9, anchors] or [batch, boxes, 6]"
    }
