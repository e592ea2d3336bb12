"""Track documents: read, checked with every finding at once, written back."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from scoring.contracts import Capture, Fit, Format, Metric, Quantisation
from scoring.tracks import MAX_DOCUMENT_BYTES, InvalidTrack, dump_track, load_track, parse_track, presets

OF_TORCHVISION = {"fit": "torchvision", "channel_order": "rgb"}
HAPPY = {
    "slug": "digits",
    "name": "Digits",
    "formats": ["cvpr-zip"],
    "output": {"kind": "logits", "width": 10},
    "metric": "accuracy",
}


def findings(change: dict) -> tuple[str, ...]:
    with pytest.raises(InvalidTrack) as caught:
        parse_track(yaml.safe_dump({**HAPPY, **change}))
    return caught.value.findings


def test_a_short_document_takes_the_defaults() -> None:
    document = parse_track(yaml.safe_dump(HAPPY))

    assert document.spec.formats == (Format.CVPR_ZIP,)
    assert document.spec.metric is Metric.ACCURACY
    assert document.spec.input.shape == (3, 224, 224)
    assert document.spec.budgets.max_macs is None


@pytest.mark.parametrize("preset", presets())
def test_a_preset_survives_being_written_and_read(preset: str) -> None:
    document = load_track(preset)

    assert parse_track(dump_track(document)) == document


def test_a_document_is_loaded_from_a_path(tmp_path: Path) -> None:
    file = tmp_path / "track.yaml"
    file.write_text(yaml.safe_dump(HAPPY))

    assert load_track(str(file)).spec.slug == "digits"


def test_the_digest_follows_what_can_change_a_score() -> None:
    base = parse_track(yaml.safe_dump(HAPPY)).spec
    renamed = parse_track(yaml.safe_dump({**HAPPY, "name": "Numerals", "rules": "new"})).spec
    tighter = parse_track(yaml.safe_dump({**HAPPY, "budgets": {"max_macs": 1}})).spec

    assert renamed.digest() == base.digest()
    assert tighter.digest() != base.digest()


def test_all_findings_come_at_once_and_name_their_fields() -> None:
    found = findings({"slug": "No Slug", "formats": [], "budgets": {"max_macs": True}, "colour": "blue"})

    assert [text.split(":")[0] for text in found] == ["slug", "formats", "budgets.max_macs", "colour"]


def digest(change: dict) -> str:
    return parse_track(yaml.safe_dump({**HAPPY, **change})).spec.digest()


def test_class_names_change_no_digest() -> None:
    named = {"kind": "logits", "width": 10, "class_names": list("abcdefghij")}

    assert digest({"output": named}) == digest({})


def test_quantisation_changes_the_digest_by_each_of_its_numbers() -> None:
    asked: list[dict] = [{}, {"calibration_samples": 50}, {"max_drop_points": 5}]

    digests = {digest({}), *(digest({"quantisation": numbers}) for numbers in asked)}

    assert len(digests) == 4


MAPS = {"output": {"kind": "class_map", "classes": 3}, "metric": "miou"}
TEN = {"kind": "logits", "width": 10}
ONE = {"kind": "confidence", "width": 1}
YES_OR_NO = {"metric": "best_f1"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metric": "best_f1"}, "track"),
        ({"extra_metrics": ["accuracy"]}, "track"),
        ({"output": {"kind": "confidence", "width": 2}}, "output"),
        ({"output": {"kind": "logits", "width": 1}, "metric": "macro_f1"}, "track"),
        ({"output": {"kind": "logits", "width": 2, "classes": 2}}, "output"),
        ({"output": {"kind": "logits", "width": 2, "box_layout": "yolo"}}, "output"),
        ({"output": {"kind": "class_map", "classes": 1}, "metric": "miou"}, "output"),
        ({"output": {"kind": "class_map", "classes": 255}, "metric": "miou"}, "output.classes"),
        ({"output": {"kind": "class_map", "classes": 3, "width": 9}, "metric": "miou"}, "output"),
        ({"output": {"kind": "class_map", "classes": 3}}, "track"),
        ({"output": {"kind": "boxes", "classes": 3}, "metric": "coco_map"}, "output"),
        ({"output": {"kind": "boxes", "box_layout": "yolo"}, "metric": "coco_map"}, "output"),
        ({**MAPS, "input": {"fit": "crop-to-aspect-then-resize"}}, "track"),
        ({**MAPS, "input": {"reader": "video", "shape": [2, 3, 8, 8]}}, "track"),
        ({"input": {"shape": [1, 28, 28]}}, "input"),
        ({"input": {"resize": 256}}, "input"),
        ({"input": {"crop": 224}}, "input"),
        ({"input": {"interpolation": "bicubic"}}, "input"),
        ({"input": {"antialias": False}}, "input"),
        ({"input": {**OF_TORCHVISION, "resize": 256}}, "input"),
        ({"input": {**OF_TORCHVISION, "resize": [256, 256]}}, "input"),
        ({"input": {**OF_TORCHVISION, "resize": [256, 256, 3], "crop": 224}}, "input"),
        ({"input": {**OF_TORCHVISION, "crop": []}}, "input"),
        ({"input": {**OF_TORCHVISION, "resize": 0, "crop": 224}}, "input.resize.0"),
        ({"input": {**OF_TORCHVISION, "crop": 223}}, "input"),
        ({"input": {**OF_TORCHVISION, "crop": 224, "shape": [3, None, None]}}, "input"),
        ({"input": {**OF_TORCHVISION, "interpolation": "lanczos", "antialias": False}}, "input"),
        ({"input": {"shape": [3, 224]}}, "input"),
        ({"input": {"low": 1.0, "high": 0.0}}, "input"),
        ({"input": {"dtype": "uint8"}}, "input"),
        ({"input": {"reader": "video", "shape": [65, 3, 8, 8]}}, "input"),
        ({"input": {"reader": "video", "shape": [3, 8, 8]}}, "input"),
        ({"input": {"reader": "audio", "shape": [96000]}}, "input"),
        ({"input": {"reader": "audio", "shape": [9], "low": -1, "mean": [0.0], "std": [1.0]}}, "input"),
        ({"input": {"mean": [0.5, 0.5], "std": [0.5, 0.5, 0.5]}}, "input"),
        ({"input": {"mean": [0.5], "std": [0.5, 0.5, 0.5, 0.5]}}, "input"),
        ({"input": {"mean": [], "std": []}}, "input"),
        ({"input": {"reader": "audio", "shape": [96000], "dtype": "uint8", "high": 255}}, "input"),
        ({"opens_at": "2022-01-02T00:00:00Z", "closes_at": "2022-01-01T00:00:00Z"}, "track"),
        ({"opens_at": "2022-01-02T00:00:00"}, "opens_at"),
        ({"run_limits": {"threads": 0}}, "run_limits.threads"),
        ({"run_limits": {"seed": -1}}, "run_limits.seed"),
        ({"archive_limits": {"max_ratio": 1}}, "archive_limits.max_ratio"),
        ({"quota_submissions": 0}, "quota_submissions"),
        ({"output": {**TEN, "class_names": ["a", "b"]}}, "output.class_names"),
        ({"output": {**TEN, "class_names": ["a"] * 10}}, "output.class_names"),
        ({"output": {**TEN, "class_names": [*"abcdefghi", ""]}}, "output.class_names.9"),
        ({"output": {**TEN, "class_names": [*"abcdefghi", " j"]}}, "output.class_names.9"),
        ({"output": {**TEN, "class_names": [*"abcdefghi", "j\nk"]}}, "output.class_names.9"),
        ({"output": {**TEN, "class_names": [*"abcdefghi", "j" * 81]}}, "output.class_names.9"),
        ({"output": {**TEN, "class_names": [*"abcdefghi", 9]}}, "output.class_names.9"),
        ({**YES_OR_NO, "output": {**ONE, "class_names": ["yes"]}}, "output.class_names"),
        ({**MAPS, "output": {"kind": "class_map", "classes": 3, "class_names": ["a"]}}, "output.class_names"),
        ({"quantisation": {"precision": "w4a4"}}, "quantisation.precision"),
        ({"quantisation": {"calibration_samples": 0}}, "quantisation.calibration_samples"),
        ({"quantisation": {"calibration_samples": 10_001}}, "quantisation.calibration_samples"),
        ({"quantisation": {"max_drop_points": -0.1}}, "quantisation.max_drop_points"),
        ({"quantisation": {"max_drop_points": 100.1}}, "quantisation.max_drop_points"),
        ({"quantisation": {"bits": 8}}, "quantisation.bits"),
        ({"metric": "brier", "quantisation": {}}, "quantisation"),
        ({"metric": "cross_entropy", "quantisation": {}}, "quantisation"),
    ],
)
def test_a_broken_rule_is_found_in_its_field(change: dict, field: str) -> None:
    assert [text.split(":")[0] for text in findings(change)] == [field]


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"resize": 256, "crop": 224},
        {"resize": [256], "crop": [224, 224]},
        {"resize": [256, 300], "crop": 224},
        {"resize": [224, 224]},
        {"shape": [3, None, None]},
        {"interpolation": "bicubic", "antialias": False},
        {"reader": "video", "shape": [8, 3, 224, 224], "resize": 256, "crop": 224},
    ],
)
def test_a_chain_of_torchvision_that_ends_at_the_inputs_size_is_accepted(stated: dict) -> None:
    document = parse_track(yaml.safe_dump({**HAPPY, "input": {**OF_TORCHVISION, **stated}}))

    assert document.spec.input.fit is Fit.TORCHVISION
    assert parse_track(dump_track(document)) == document


@pytest.mark.parametrize(
    "contract",
    [
        {"reader": "video", "shape": [64, 3, 8, 8]},
        {"reader": "video", "shape": [None, 3, None, None]},
        {"reader": "audio", "shape": [96_000], "low": -1},
    ],
)
def test_contracts_of_video_and_audio_are_accepted(contract: dict) -> None:
    document = parse_track(yaml.safe_dump({**HAPPY, "input": contract}))

    assert document.spec.input.reader == contract["reader"]


@pytest.mark.parametrize(
    "track",
    [
        {"output": ONE, "metric": "best_f1"},
        {"output": {"kind": "logits", "width": 1}, "metric": "sn34_score"},
        {"output": {"kind": "logits", "width": 2}},
        {"output": {"kind": "class_map", "classes": 2}, "metric": "miou"},
        {"output": {"kind": "boxes", "classes": 2, "box_layout": "corners"}, "metric": "coco_map"},
    ],
)
def test_two_names_fit_every_output_that_tells_two_classes_apart(track: dict) -> None:
    named = {**track["output"], "class_names": ["no", "yes"]}

    document = parse_track(yaml.safe_dump({**HAPPY, **track, "output": named}))

    assert document.spec.output.class_names == ("no", "yes")
    assert parse_track(dump_track(document)) == document


def test_quantisation_takes_its_defaults_and_is_written_back() -> None:
    document = parse_track(yaml.safe_dump({**HAPPY, "quantisation": {}}))

    assert document.spec.quantisation == Quantisation()
    assert parse_track(dump_track(document)) == document


@pytest.mark.parametrize("written", ["off", "'off'"])
def test_off_is_a_word_though_yaml_reads_it_as_false(written: str) -> None:
    document = parse_track(yaml.safe_dump(HAPPY) + f"\nbudgets: {{capture: {written}}}\n")

    assert document.spec.budgets.capture is Capture.OFF
    assert parse_track(dump_track(document)) == document


@pytest.mark.parametrize("written", ["on", "none", "0", "Required"])
def test_other_words_about_capture_are_refused(written: str) -> None:
    with pytest.raises(InvalidTrack, match="capture"):
        parse_track(yaml.safe_dump(HAPPY) + f"\nbudgets: {{capture: {written}}}\n")


@pytest.mark.parametrize("text", ["- a list", "just words", "", "a: [unclosed"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(InvalidTrack):
        parse_track(text)


def test_a_document_cannot_build_python_objects() -> None:
    with pytest.raises(InvalidTrack):
        parse_track("slug: !!python/object/apply:os.system ['true']")


def test_an_unknown_name_lists_the_presets() -> None:
    with pytest.raises(InvalidTrack, match="cvpr2022-track1"):
        load_track("cvpr2022-track9")


def test_an_endless_document_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "track.yaml"
    file.write_bytes(b"#" * (MAX_DOCUMENT_BYTES + 1))

    with pytest.raises(InvalidTrack, match="larger than"):
        load_track(str(file))


@pytest.mark.parametrize(
    "rules",
    [
        "One.\n\n- two: 3\n",
        " indented\nthen not",
        "ends\n\n\n",
        "\nstarts",
        "a\r\nb",
        "a\n b\x85c",
        "a\n\u2028b",
    ],
)
def test_rules_come_back_from_a_written_document_as_they_were(rules: str) -> None:
    document = load_track("cvpr2022-track1")
    changed = replace(document, page=replace(document.page, rules=rules))
    assert parse_track(dump_track(changed)).page.rules == rules


def test_rules_are_written_as_lines() -> None:
    document = load_track("cvpr2022-track1")
    changed = replace(document, page=replace(document.page, rules="One model.\n\n- Be fair.\n"))
    assert "rules: |\n  One model.\n\n  - Be fair.\n" in dump_track(changed)
