"""Documents of a BYOM package: one sound package, and one test for each way to break it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoring.contracts import (
    BoxLayout,
    ChannelOrder,
    Dtype,
    Finding,
    Mismatch,
    OutputContract,
    OutputKind,
    Package,
    Reader,
    Unpacked,
    UnpackedFile,
)
from scoring.errors import Rejected, render_all
from scoring.packages import byom
from scoring.tracks import load_track
from tests.golden.byom import byom_files

TRACK = load_track("byom-classification").spec
ANOMALY = load_track("byom-anomaly").spec
MANIFEST = "export_artifacts/manifest.json"

Make = Callable[..., Package]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a package from an outline and recognise it."""

    def run(**outline: Any) -> Package:
        found = byom.match(write(tmp_path, byom_files(outline)))
        assert isinstance(found, Package)
        return found

    return run


def write(root: Path, files: dict[str, bytes]) -> Unpacked:
    for name, raw in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(raw)
    listed = tuple(UnpackedFile(path=name, size=len(raw)) for name, raw in sorted(files.items()))
    return Unpacked(root=root, files=listed, package_bytes=sum(map(len, files.values())))


def findings(package: Package, track: Any = TRACK) -> tuple[Finding, ...]:
    with pytest.raises(Rejected) as caught:
        byom.check(package, track)
    render_all(caught.value.findings)
    return caught.value.findings


def whys(package: Package, track: Any = TRACK) -> list[object]:
    return [finding.facts.get("why") for finding in findings(package, track)]


def changed(document: str, **fields: Any) -> dict[str, Any]:
    return {"set": {document: fields}}


def test_a_sound_package_has_no_findings(make):
    assert byom.check(make(), TRACK) == ()


def test_size_normalisation_and_order_come_from_the_package(make):
    package = make(set={MANIFEST: {"preprocessing.channel_order": "BGR"}})

    settled = byom.settle(package, TRACK)

    contract = settled.track.input
    assert contract.shape == (3, 32, 32)
    assert (contract.mean, contract.std) == ((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    assert contract.channel_order is ChannelOrder.BGR


def test_the_loader_is_told_batch_architecture_classes_and_thresholds(make):
    package = make(set={"mochi.json": {"model_info.architecture": "resnet18"}})

    assert dict(byom.settle(package, TRACK).options) == {
        "batch": 1,
        "architecture": "resnet18",
        "num_classes": 10,
        "columns": 10,
        "postprocessing": "softmax",
        "threshold": 0.5,
    }


def test_what_is_applied_is_told(make):
    told = byom.settle(make(set={MANIFEST: {"preprocessing.channel_order": "BGR"}}), TRACK).applied

    assert told["channel_order"] == "BGR (the package's)"
    assert told["size"] == "32 x 32 (height x width), stretch"


@pytest.mark.parametrize("name", ["ResNet-18", "SegFormer B0", "hf_hub:some/model", ""])
def test_any_words_may_tell_an_architecture_that_torchscript_does_not_need(make, name):
    package = make(set={"mochi.json": {"model_info.architecture": name}})

    assert byom.check(package, TRACK) == ()
    assert byom.settle(package, TRACK).options["architecture"] == name


def test_a_package_without_preprocessing_leaves_the_tracks_words(make):
    contract = byom.settle(make(set={MANIFEST: {"preprocessing": None}}), TRACK).track.input

    assert (contract.mean, contract.std, contract.channel_order) == (None, None, ChannelOrder.RGB)


def test_an_entry_of_another_kind_does_not_match(tmp_path):
    assert isinstance(byom.match(write(tmp_path, {"model.py": b""})), Mismatch)


@pytest.mark.parametrize("name", ["mochi.json", MANIFEST])
def test_a_package_below_two_folders_is_named(tmp_path, name):
    found = byom.match(write(tmp_path, {f"outer/inner/{name}": b"x"}))

    assert isinstance(found, Mismatch)
    assert f"outer/inner/{name} must be" in found.why


@pytest.mark.parametrize("name", ["mochi.json", MANIFEST, "export_artifacts/model.pt"])
def test_one_file_of_the_format_is_enough_to_match(tmp_path, name):
    assert isinstance(byom.match(write(tmp_path, {name: b"x"})), Package)


@pytest.mark.parametrize("elsewhere", ["model.pt", "export_artifacts/model.onnx"])
def test_a_model_in_another_place_is_named(make, elsewhere):
    package = make(leave_out=["export_artifacts/model.pt"])
    (package.root / elsewhere).write_bytes(b"PK")

    assert [str(why).endswith(f"; found {elsewhere}") for why in whys(package)] == [True]


@pytest.mark.parametrize("name", ["config.yaml", "mochi.json", MANIFEST])
def test_a_missing_document_is_named_once(make, name):
    found = findings(make(leave_out=[name]))

    facts = {"expected": f"Missing required files in model artifact: {name}"}
    assert Finding(code="missing_file", path=name, facts=facts) in found


@pytest.mark.parametrize(
    ("document", "field", "value", "why"),
    [
        ("config.yaml", "dataset", [1], "config.yaml 'dataset' must be a mapping, not [1]"),
        ("config.yaml", "dataset.image_width", None, "config.yaml missing 'dataset.image_width'"),
        ("config.yaml", "dataset.image_height", None, "config.yaml missing 'dataset.image_height'"),
        ("config.yaml", "dataset.image_height", -3, "Invalid image_height: -3. Must be positive integer"),
        ("config.yaml", "dataset.image_width", 32.5, "Invalid image_width: 32.5. Must be positive integer"),
        ("config.yaml", "dataset.image_width", "32", "Invalid image_width: “32”. Must be positive integer"),
        ("config.yaml", "dataset.num_classes", 0, "Invalid dataset.num_classes: 0. Must be positive integer"),
        ("mochi.json", "stages", None, "mochi.json missing 'stages' array"),
        ("mochi.json", "stages.0", "x", "mochi.json 'stages[0]' must be a mapping, not “x”"),
        ("mochi.json", "stages.0.input_shape", None, "mochi.json missing 'stages[0].input_shape'"),
        ("mochi.json", "stages.0.type", None, "mochi.json missing 'stages[0].type'"),
        ("mochi.json", "stages.0.type", 7, "mochi.json 'stages[0].type' must be a name, not 7"),
        (
            "mochi.json",
            "stages.0.input_shape",
            [1, True, 32, 32],
            "Invalid input_shape dimension at index 1: true. Must be positive integer",
        ),
        (
            "mochi.json",
            "stages.0.output_shape",
            [],
            "Invalid output_shape: []. Must be a list of positive integers",
        ),
        ("mochi.json", "model_info", 1, "mochi.json 'model_info' must be a mapping, not 1"),
        (
            "mochi.json",
            "model_info.framework",
            "tensorflow",
            "mochi.json 'model_info.framework' is “tensorflow”; only PyTorch models are supported",
        ),
        (MANIFEST, "model_graph", None, "manifest.json missing 'model_graph'"),
        (MANIFEST, "model_graph.stages", [], "manifest.json 'model_graph.stages' must be a non-empty array"),
        (MANIFEST, "compilable_models", None, "manifest.json missing 'compilable_models'"),
        (MANIFEST, "compilable_models", [], "manifest.json 'compilable_models' must be a non-empty array"),
        (
            MANIFEST,
            "compilable_models.0.filename",
            None,
            "manifest.json missing 'compilable_models[0].filename'",
        ),
        (
            MANIFEST,
            "compilable_models.0.data_input_config.input",
            [1, 3, 64, 64],
            "input_shape is [1, 3, 32, 32] in mochi.json and [1, 3, 64, 64] in manifest.json "
            "'compilable_models[0].data_input_config'",
        ),
        (MANIFEST, "preprocessing", [], "'preprocessing' must be a mapping, not []"),
        (
            MANIFEST,
            "preprocessing.resize",
            [64, 64],
            "'preprocessing.resize' is [64, 64], but the model takes [32, 32]",
        ),
        (
            MANIFEST,
            "preprocessing.channel_order",
            "HSV",
            "'preprocessing.channel_order' is “HSV”; it must be RGB or BGR",
        ),
        (
            MANIFEST,
            "preprocessing.normalize.mean",
            [0.5, True, 0.5],
            "'preprocessing.normalize.mean' must be 3 numbers, not [0.5, true, 0.5]",
        ),
        (
            MANIFEST,
            "preprocessing.normalize.std",
            [1, 1],
            "'preprocessing.normalize.std' must be 3 numbers of at least 1e-06, not [1, 1]",
        ),
        (
            MANIFEST,
            "postprocessing.confidence_threshold",
            2,
            "Invalid confidence_threshold: 2. Must be a number from 0 to 1",
        ),
        (
            MANIFEST,
            "preprocessing.normalize.std",
            [1e-50, 1, 1],
            "'preprocessing.normalize.std' must be 3 numbers of at least 1e-06, not [1e-50, 1, 1]",
        ),
        (
            MANIFEST,
            "postprocessing.threshold",
            "high",
            "Invalid threshold: “high”. Must be a number from 0 to 1",
        ),
    ],
)
def test_a_broken_field_is_told_in_words(make, document, field, value, why):
    assert why in whys(make(**changed(document, **{field: value})))


def test_a_shape_missing_from_the_manifest_may_stand_in_its_graph(make):
    package = make(set={MANIFEST: {"input_shape": None}})

    assert byom.check(package, TRACK) == ()


def test_where_no_document_states_a_sound_shape_none_is_compared_with_the_size(make):
    package = make(
        set={
            "mochi.json": {"stages.0.input_shape": None},
            MANIFEST: {
                "input_shape": None,
                "model_graph.stages.0.input_shape": None,
                "compilable_models.0.data_input_config": None,
            },
        }
    )

    found = whys(package)

    assert "mochi.json missing 'stages[0].input_shape'" in found
    assert not any("mismatch" in str(why) for why in found)


def test_the_threshold_of_anomalies_may_have_its_own_name(make):
    changes = {"mochi.json": {"stages.0.anomaly_threshold": 0.75}, MANIFEST: {"postprocessing": None}}

    assert byom.settle(make(set=changes), TRACK).options["threshold"] == 0.75


def test_thresholds_that_differ_are_told(make):
    package = make(set={"mochi.json": {"stages.0.threshold": 0.25}})

    assert whys(package) == [
        "threshold differs: 0.25 in mochi.json 'stages[0].threshold', "
        "0.5 in manifest.json 'postprocessing.threshold'"
    ]


def test_thresholds_of_one_document_that_differ_are_its_own_finding(make):
    stage = {"stages.0.threshold": 0.5, "stages.0.anomaly_threshold": 0.75}

    found = findings(make(set={"mochi.json": stage}))

    assert [(finding.code, finding.path) for finding in found] == [("invalid_config", "mochi.json")]


def test_a_threshold_of_the_manifests_graph_is_read_and_compared(make):
    graph = {"model_graph.stages.0.threshold": 0.25}

    assert [finding.path for finding in findings(make(set={MANIFEST: graph}))] == [MANIFEST]
    alone = make(set={MANIFEST: {**graph, "postprocessing": None}})
    assert byom.settle(alone, TRACK).options["threshold"] == 0.25


def test_a_threshold_of_a_softmax_lies_between_0_and_1(make):
    package = anomaly_package(make, columns=2, kind="anomaly_score", threshold=7)

    assert whys(package, ANOMALY) == ["Invalid threshold: 7. Must be a number from 0 to 1"]


def test_a_threshold_of_a_score_may_be_any_number(make):
    package = anomaly_package(make, columns=1, kind="anomaly_score", threshold=7)

    assert byom.settle(package, ANOMALY).options["threshold"] == 7
    assert byom.check(package, ANOMALY) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1]", "mochi.json must be a mapping, not [1]"),
        ('{"stages": NaN}', "Invalid JSON in mochi.json: NaN is not a JSON number"),
        ('{"a": 1, "a": 2}', "Invalid JSON in mochi.json: the key “a” appears twice"),
        ("[" * 60_000, "Invalid JSON in mochi.json: too deeply nested"),
        ('{"a": ' + "9" * 5_000 + "}", "Invalid JSON in mochi.json: a number is too long"),
        ('{"a": "' + "x" * 70_000 + '"}', "mochi.json is longer than 65,536 bytes"),
    ],
)
def test_hostile_json_is_refused_in_words(make, text, why):
    assert why in whys(make(text={"mochi.json": text}))


def test_json_that_is_no_text_is_refused(make):
    package = make()
    (package.root / "mochi.json").write_bytes(b'{"a": "\xff"}')

    assert "Invalid JSON in mochi.json: byte 8 is not valid UTF-8" in whys(package)


def test_yaml_of_aliases_that_grow_is_refused(make):
    grown = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    package = make(text={"config.yaml": f"a0: &a0 x\n{grown}"})

    assert any("aliases" in str(why) for why in whys(package))


def test_a_fixed_track_takes_only_its_own_size(make):
    track = replace(TRACK, input=replace(TRACK.input, shape=(3, 224, 224)))

    assert whys(make(), track) == [
        "Invalid input_shape: [1, 3, 32, 32]. This track feeds [batch, 3, 224, 224]"
    ]


def test_a_track_of_sound_takes_no_pictures(make):
    track = replace(TRACK, input=replace(TRACK.input, reader=Reader.AUDIO, shape=(16_000,)))

    assert "this track feeds audio, but BYOM packages only take pictures" in whys(make(), track)


def test_bytes_cannot_be_normalised(make):
    track = replace(TRACK, input=replace(TRACK.input, dtype=Dtype.UINT8, high=255.0))

    assert whys(make(), track) == [
        "'preprocessing.normalize' cannot be applied to uint8 input; normalise in the model instead"
    ]


@pytest.mark.parametrize(
    ("shape", "last"),
    [
        ([1, 3, 2048, 32], "Height and width may be at most 1,024"),
        ([65, 3, 32, 32], "The batch may be at most 64"),
    ],
)
def test_sizes_have_bounds(make, shape, last):
    found = whys(make(**changed("mochi.json", **{"stages.0.input_shape": shape})))

    assert f"Invalid input_shape: {json.dumps(shape)}. {last}" in found


@pytest.mark.parametrize(
    ("columns", "kind", "why"),
    [
        (
            3,
            "anomaly_score",
            "Invalid output_shape: [1, 3]. This track asks for [batch, 1] or [batch, 2]",
        ),
        (
            1,
            "softmax",
            "postprocessing 'softmax' of one number is always 1; leave it out, or return 2 numbers",
        ),
    ],
)
def test_a_confidence_is_made_of_one_number_or_two(make, columns, kind, why):
    assert whys(anomaly_package(make, columns=columns, kind=kind), ANOMALY) == [why]


@pytest.mark.parametrize("columns", [1, 2])
def test_an_anomaly_model_is_accepted_with_either(make, columns):
    package = anomaly_package(make, columns=columns, kind="anomaly_score")

    assert byom.check(package, ANOMALY) == ()
    assert byom.settle(package, ANOMALY).options["columns"] == columns


def anomaly_package(make: Make, *, columns: int, kind: str, threshold: float = 0.5) -> Package:
    stage = {
        "stages.0.type": "anomaly_detection",
        "stages.0.output_shape": [1, columns],
        "stages.0.num_classes": None,
    }
    manifest: dict[str, Any] = {"model_graph.stages.0.type": "anomaly_detection"}
    manifest["postprocessing"] = {"type": kind, "threshold": threshold}
    return make(set={"config.yaml": {"dataset.num_classes": None}, "mochi.json": stage, MANIFEST: manifest})


@pytest.mark.parametrize(
    ("output_shape", "layout"),
    [([1, 84, 8400], BoxLayout.YOLO), ([1, 300, 6], BoxLayout.CORNERS), (None, BoxLayout.CORNERS)],
)
def test_the_layout_of_boxes_follows_from_the_stated_shape(make, output_shape, layout):
    output = OutputContract(kind=OutputKind.BOXES, classes=80, box_layout=BoxLayout.CORNERS)
    kind = "yolov10_object_detection"
    stage = {"stages.0.type": kind, "stages.0.output_shape": output_shape}
    manifest = {
        "model_graph.stages.0.type": kind,
        "postprocessing": {"type": "yolo_nms", "nms_threshold": 0.45},
    }
    package = make(set={"mochi.json": stage, MANIFEST: manifest})

    byom.check(package, replace(TRACK, output=output))
    settled = byom.settle(package, replace(TRACK, output=output))

    assert settled.track.output.box_layout is layout
    assert settled.options["nms_threshold"] == 0.45


@pytest.mark.parametrize(
    "kind",
    [
        "image_classification",
        "binary_classification",
        "Multi-Class Classification",
        "resnet50_classification_v2",
    ],
)
def test_a_type_that_holds_the_words_of_a_known_task_is_that_task(make, kind):
    graph = {"model_graph.stages.0.type": kind}

    assert byom.check(make(set={"mochi.json": {"stages.0.type": kind}, MANIFEST: graph}), TRACK) == ()


@pytest.mark.parametrize("kind", ["reclassification", "object_detections", "image_regression"])
def test_a_type_of_other_words_is_refused(make, kind):
    graph = {"model_graph.stages.0.type": kind}
    found = whys(make(set={"mochi.json": {"stages.0.type": kind}, MANIFEST: graph}))

    assert any(str(why).startswith(f"'stages[0].type' is “{kind}”") for why in found)


def test_the_framework_may_be_called_torch(make):
    package = make(
        set={
            "mochi.json": {"model_info": {"framework": "torch"}},
            MANIFEST: {"compilable_models.0.framework": "Torch"},
        }
    )

    assert byom.check(package, TRACK) == ()


@pytest.mark.parametrize("numbers", [range(10), [str(number) for number in range(10)]])
def test_names_may_be_written_by_number(make, numbers):
    names = {number: f"name {number}" for number in reversed(numbers)}
    track = replace(TRACK, output=replace(TRACK.output, class_names=tuple(f"name {n}" for n in range(10))))

    assert byom.check(make(set={"config.yaml": {"dataset.class_names": names}}), track) == ()


def test_names_by_numbers_with_a_gap_are_refused(make):
    found = whys(make(set={"config.yaml": {"dataset.class_names": {0: "a", 2: "b"}}}))

    assert any("must be a non-empty list" in str(why) for why in found)


def test_what_has_no_effect_is_told_in_a_warning(make):
    stage = {"type": "classification", "input_shape": [1, 3, 32, 32]}
    later = {"type": "post_filter"}
    package = make(
        set={
            "mochi.json": {"stages": [stage, later]},
            MANIFEST: {
                "model_graph.stages": [stage, later],
                "preprocessing.crop_pct": 0.9,
                "postprocessing": {"type": "sigmoid", "top_k": 5},
            },
        }
    )

    found = byom.check(package, TRACK)

    assert [(each.code, each.path, each.facts["fields"]) for each in found] == [
        ("config_fields_ignored", "mochi.json", "stages[1]"),
        (
            "config_fields_ignored",
            MANIFEST,
            "model_graph.stages[1], preprocessing.crop_pct, postprocessing.top_k",
        ),
    ]
