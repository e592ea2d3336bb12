"""The gasbench format: layouts, configuration, weights and signature, all findings at once."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from scoring.contracts import (
    Finding,
    Format,
    InputContract,
    Metric,
    Mismatch,
    OutputContract,
    OutputKind,
    Package,
    Reader,
    TrackSpec,
    Unpacked,
    UnpackedFile,
)
from scoring.errors import Rejected, render_all
from scoring.packages.gasbench import check, match, settle

IMAGES = TrackSpec(
    slug="t",
    name="T",
    formats=(Format.GASBENCH,),
    input=InputContract(shape=(3, None, None)),
    output=OutputContract(kind=OutputKind.LOGITS, width=2),
    metric=Metric.ACCURACY,
)
VIDEOS = replace(IMAGES, input=InputContract(reader=Reader.VIDEO, shape=(None, 3, None, None)))
SOUNDS = replace(IMAGES, input=InputContract(reader=Reader.AUDIO, shape=(96_000,), sample_rate=16_000))
CONFIG = "modality: image\nmodel: {num_classes: 2}\n"
SOURCE = "def load_model(weights_path, num_classes=2): ..."


def matched(*paths: str) -> Package | Mismatch:
    files = tuple(UnpackedFile(path=path, size=10) for path in paths)
    return match(Unpacked(root=Path("root"), files=files, package_bytes=10 * len(files)))


def packaged(folder: Path, *, config: str = CONFIG, source: str = SOURCE) -> Package:
    (folder / "model_config.yaml").write_text(config)
    (folder / "model.py").write_text(source)
    safetensors.numpy.save_file({"w": np.ones((3, 2), np.float32)}, folder / "model.safetensors")
    return Package(format=Format.GASBENCH, root=folder, main="model.py", package_bytes=1)


def refused(package: Package, track: TrackSpec = IMAGES) -> tuple[Finding, ...]:
    with pytest.raises(Rejected) as caught:
        check(package, track)
    render_all(caught.value.findings)
    return caught.value.findings


def only_reason(package: Package, track: TrackSpec = IMAGES) -> str:
    (finding,) = refused(package, track)
    assert finding.code == "invalid_config"
    return str(finding.facts["why"])


# --- layouts


def test_one_wrapping_folder_is_looked_into_with_a_warning() -> None:
    package = matched("m/model_config.yaml", "m/model.py", "m/model.safetensors")

    assert isinstance(package, Package)
    assert (package.root, package.main) == (Path("root/m"), "model.py")
    assert [warning.code for warning in package.warnings] == ["wrapping_folder"]


def test_a_package_that_lacks_files_still_matches_so_that_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "model_config.yaml").write_text(CONFIG)
    package = Package(format=Format.GASBENCH, root=tmp_path, main="model.py", package_bytes=1)

    assert isinstance(matched("model_config.yaml"), Package)
    assert [(finding.code, finding.path) for finding in refused(package)] == [
        ("missing_file", "model.safetensors"),
        ("missing_file", "model.py"),
    ]


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        (("model.py",), "model_config.yaml"),
        (("best.safetensors",), "model_config.yaml"),
        (("a/b/model_config.yaml",), "a/b/model_config.yaml"),
        (("Model_Config.yaml", "model.py"), "Model_Config.yaml"),
    ],
)
def test_what_is_missing_is_named(paths: tuple[str, ...], named: str) -> None:
    mismatch = matched(*paths)

    assert isinstance(mismatch, Mismatch)
    assert [(finding.code, finding.path) for finding in mismatch.findings] == [("missing_file", named)]


def test_an_entry_of_another_kind_is_not_told_what_it_lacks() -> None:
    mismatch = matched("net.onnx")

    assert isinstance(mismatch, Mismatch)
    assert mismatch.findings == ()


# --- the configuration


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ("modality: picture\nmodel: {}\n", "modality"),
        ("modality: 3\nmodel: {}\n", "modality"),
        (CONFIG + "name: [a]\n", "name"),
        (CONFIG + "dtype: float64\n", "dtype"),
        (CONFIG + "preprocessing: none\n", "preprocessing"),
        (CONFIG + "preprocessing: {resize: 224}\n", "preprocessing.resize"),
        (CONFIG + "preprocessing: {resize: [224]}\n", "preprocessing.resize"),
        (CONFIG + "preprocessing: {resize: [224, 224, 3]}\n", "preprocessing.resize"),
        (CONFIG + "preprocessing: {resize: [224, 1025]}\n", "preprocessing.resize.1"),
        (CONFIG + "preprocessing: {resize: [true, 224]}\n", "preprocessing.resize.0"),
        (CONFIG + "preprocessing: {resize: [224.0, 224]}\n", "preprocessing.resize.0"),
        (CONFIG + "preprocessing: {max_frames: 0}\n", "preprocessing.max_frames"),
        (CONFIG + "preprocessing: {max_frames: 65}\n", "preprocessing.max_frames"),
        (CONFIG + "preprocessing: {frame_rate: .nan}\n", "preprocessing.frame_rate"),
        (CONFIG + "preprocessing: {frame_rate: .inf}\n", "preprocessing.frame_rate"),
        (CONFIG + "preprocessing: {sample_rate: 16000.5}\n", "preprocessing.sample_rate"),
        (CONFIG + "preprocessing: {duration_seconds: 0}\n", "preprocessing.duration_seconds"),
        (CONFIG + "preprocessing: {normalize: {mean: [0.5], std: [0]}}\n", "preprocessing.normalize.std.0"),
        ("modality: image\nmodel: {num_classes: 101}\n", "model.num_classes"),
        ("modality: image\nmodel: {num_classes: '2'}\n", "model.num_classes"),
        ("modality: image\nmodel: {num_classes: 4}\n", "model.num_classes"),
        ("modality: image\nmodel: {weights_file: 7}\n", "model.weights_file"),
        ("modality: image\nmodel: {weights_file: /etc/w.safetensors}\n", "model.weights_file"),
        ("modality: image\nmodel: {weights_file: a/../../w.safetensors}\n", "model.weights_file"),
        ("modality: image\nmodel: {weights_file: 'a\\w.safetensors'}\n", "model.weights_file"),
        ("modality: image\nmodel: {weights_file: weights.bin}\n", "model.weights_file"),
        ('modality: image\nmodel: {weights_file: "a\\e[2J.safetensors"}\n', "model.weights_file"),
        ("modality: image\nmodel: {since: 2020-01-01}\n", "model"),
        ("modality: image\nmodel: {scale: .nan}\n", "model"),
        ("modality: image\nmodel: {depth: 9223372036854775808}\n", "model"),
        ("modality: image\nmodel: {two words: 1}\n", "model"),
        ("modality: image\nmodel: {a: [[[[[[[[[[1]]]]]]]]]]}\n", "model"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_else(tmp_path: Path, config: str, field: str) -> None:
    package = packaged(tmp_path, config=config, source="def load_model(path, **rest): ...")

    assert only_reason(package).partition(":")[0] == field


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("weights/model.safetensors", "found weights/model.safetensors; name it in model.weights_file"),
        ("model.pt", "found model.pt; weights must be .safetensors"),
    ],
)
def test_weights_in_another_place_are_named(tmp_path: Path, place: str, told: str) -> None:
    package = packaged(tmp_path)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / "model.safetensors").rename(tmp_path / place)

    (finding,) = refused(package)

    assert finding.facts["expected"] == f"model.safetensors ({told})"


def test_weights_in_several_files_are_to_be_one(tmp_path: Path) -> None:
    package = packaged(tmp_path)
    for shard in ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"):
        shutil.copy(tmp_path / "model.safetensors", tmp_path / shard)
    (tmp_path / "model.safetensors").unlink()

    (finding,) = refused(package)

    assert "put all weights into one file" in str(finding.facts["expected"])


def test_a_refusal_keeps_the_warnings(tmp_path: Path) -> None:
    package = packaged(tmp_path, source="def build(path): ...")
    safetensors.numpy.save_file({"a": np.array([np.nan], np.float32)}, tmp_path / "model.safetensors")

    with pytest.raises(Rejected) as refusal:
        check(package, IMAGES)

    assert [finding.code for finding in refusal.value.warnings] == ["weights_not_finite"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (CONFIG + "version: [1]\n", "version: is [1]; version must be text or a number"),
        ("modality: image\nmodel: null\n", "model: is null; model must be a mapping of fields"),
        (
            CONFIG + "preprocessing: {max_frames: 65}\n",
            "is 65; max_frames must be a whole number from 1 to 64",
        ),
        (
            CONFIG + "preprocessing: {resize: [9]}\n",
            "is [9]; resize must be [height, width], two whole numbers",
        ),
        (CONFIG + "name: {2020-01-01: x}\n", "name: is {}; name must be text"),
        (
            "modality: image\nmodel: {weights_file: ../w}\n",
            "weights_file: is ../w; it must be a relative path",
        ),
        (
            CONFIG + f"preprocessing: {{max_frames: 0x{'f' * 9_999}}}\n",
            "is a number with thousands of digits",
        ),
        (CONFIG + "dtype: f64\n", "dtype: is f64; it must be one of float32"),
    ],
)
def test_a_wrong_field_tells_what_was_found_and_what_is_allowed(
    tmp_path: Path, config: str, reason: str
) -> None:
    assert reason in only_reason(packaged(tmp_path, config=config))


@pytest.mark.parametrize("config", ["- a list", "modality: [", "a: 1\na: 2\n", "a: &x [*x]\n"])
def test_a_configuration_that_is_no_plain_yaml_is_one_finding(tmp_path: Path, config: str) -> None:
    found = refused(packaged(tmp_path, config=config))

    assert [(finding.code, finding.path) for finding in found] == [("invalid_config", "model_config.yaml")]


def test_more_arguments_than_anybody_needs_are_refused_by_their_number(tmp_path: Path) -> None:
    config = "modality: image\nmodel:\n" + "".join(f"  a{number}: 1\n" for number in range(101))

    why = only_reason(packaged(tmp_path, config=config, source="def load_model(path, **rest): ..."))

    assert why == "model: 101 keys; at most 100 are allowed"


@pytest.mark.parametrize("value", ["{2: x}", "{a: {b: .nan}}", "[[1, 2020-01-01]]"])
def test_an_argument_of_nested_values_that_are_not_plain_is_refused(tmp_path: Path, value: str) -> None:
    config = f"modality: image\nmodel: {{wide: {value}}}\n"

    why = only_reason(packaged(tmp_path, config=config, source="def load_model(path, **rest): ..."))

    assert why.startswith("model: wide is not a plain value")


def test_an_argument_may_be_a_table(tmp_path: Path) -> None:
    config = "modality: image\nmodel: {sizes: {small: [1, 2], named: {a: true}}}\n"
    package = packaged(tmp_path, config=config, source="def load_model(path, sizes): ...")

    assert check(package, IMAGES) == ()
    assert settle(package, IMAGES).options["arguments"] == {"sizes": {"small": [1, 2], "named": {"a": True}}}


@pytest.mark.parametrize(
    ("config", "place", "meant"),
    [
        ("preprocessing: {resise: [32, 32]}\n", "preprocessing.resise", "resize"),
        ("preprocessing: {size: [32, 32]}\n", "preprocessing.size", "resize"),
        ("preprocessing: {normalise: {mean: [0], std: [1]}}\n", "preprocessing.normalise", "normalize"),
        ("preprocessing: {maxframes: 8}\n", "preprocessing.maxframes", "max_frames"),
        (
            "preprocessing: {normalize: {mean: [0], std: [1], means: [1]}}\n",
            "preprocessing.normalize.means",
            "mean",
        ),
        ("preprocesing: {resize: [32, 32]}\n", "preprocesing", "preprocessing"),
        ("dtypes: float16\n", "dtypes", "dtype"),
    ],
)
def test_a_misspelt_field_is_refused_with_the_one_that_was_meant(
    tmp_path: Path, config: str, place: str, meant: str
) -> None:
    package = packaged(tmp_path, config=CONFIG + config)

    assert only_reason(package) == f"{place}: unknown field, perhaps meant as {meant}"


def test_what_people_write_for_people_is_named_and_not_refused(tmp_path: Path) -> None:
    metadata = """
description: A detector.
author: {name: me}
license: MIT
framework: pytorch
type: image_classifier
2020-01-01: released
preprocessing: {resize: [32, 48], interpolation: bicubic, crop_pct: 0.9, input_size: 32}
"""

    (warning,) = check(packaged(tmp_path, config=CONFIG + metadata), IMAGES)

    assert (warning.code, warning.path) == ("config_fields_ignored", "model_config.yaml")
    assert warning.facts["fields"] == (
        "2020-01-01, author, description, framework, license, preprocessing.crop_pct, "
        "preprocessing.input_size, preprocessing.interpolation, type"
    )


def test_thousands_of_unknown_fields_make_a_short_warning(tmp_path: Path) -> None:
    config = CONFIG + "".join(f"zz{number}: 1\n" for number in range(2_000))

    (warning,) = check(packaged(tmp_path, config=config), IMAGES)

    assert str(warning.facts["fields"]).endswith(" and others")
    assert len(str(warning.facts["fields"])) < 300


@pytest.mark.parametrize("config", ["", "name: x\n", "modality: image\n", "model: {}\n"])
def test_modality_and_model_may_be_left_out(tmp_path: Path, config: str) -> None:
    package = packaged(tmp_path, config=config or "name: y\n")

    assert check(package, IMAGES) == ()
    assert settle(package, IMAGES).options["arguments"] == {}


def test_one_logit_may_stand_for_two_classes(tmp_path: Path) -> None:
    track = replace(IMAGES, metric=Metric.SN34_SCORE, extra_metrics=(Metric.BRIER,))
    package = packaged(tmp_path, config="model: {num_classes: 1}\n")

    assert check(package, track) == ()
    assert settle(package, track).track.output.width == 1


@pytest.mark.parametrize(
    ("track", "wanted"),
    [
        (replace(IMAGES, metric=Metric.TOP5_ACCURACY), "2"),
        (replace(IMAGES, metric=Metric.MACRO_F1), "2 or 3"),
        (replace(IMAGES, output=replace(IMAGES.output, width=3)), "3"),
    ],
)
def test_one_logit_is_refused_where_the_metrics_need_more(
    tmp_path: Path, track: TrackSpec, wanted: str
) -> None:
    package = packaged(tmp_path, config="model: {num_classes: 1}\n")

    assert only_reason(package, track) == f"model.num_classes: is 1; this track needs {wanted}"


def test_three_logits_may_stand_for_two_classes(tmp_path: Path) -> None:
    track = replace(IMAGES, metric=Metric.SN34_SCORE, extra_metrics=(Metric.BRIER, Metric.ACCURACY))
    package = packaged(tmp_path, config="model: {num_classes: 3}\n")

    assert check(package, track) == ()
    output = settle(package, track).track.output
    assert (output.width, output.classes) == (3, 2)


def test_three_logits_are_refused_where_a_metric_cannot_join_them(tmp_path: Path) -> None:
    track = replace(IMAGES, metric=Metric.SN34_MULTICLASS, extra_metrics=())
    package = packaged(tmp_path, config="model: {num_classes: 3}\n")

    assert only_reason(package, track) == "model.num_classes: is 3; this track needs 2"


# --- weights in shards


def sharded(folder: Path, *, weights: str = "model.safetensors.index.json", **table: str) -> Package:
    package = packaged(folder)
    (folder / "model.safetensors").unlink()
    place = folder / weights
    place.parent.mkdir(exist_ok=True)
    for shard in set(table.values()) - {"gone.safetensors"}:
        tensors = {name: np.ones((3, 2), np.float32) for name in table if table[name] == shard}
        safetensors.numpy.save_file(tensors, place.parent / shard)
    place.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": table}))
    return package


SHARDS = {"a": "one.safetensors", "b": "two.safetensors", "c": "two.safetensors"}


def test_weights_may_lie_in_the_shards_of_an_index(tmp_path: Path) -> None:
    package = sharded(tmp_path, **SHARDS)

    settled = settle(package, IMAGES)

    assert check(package, IMAGES) == ()
    assert settled.options["weights_file"] == "model.safetensors.index.json"
    assert settled.counts.parameters == 18


def test_an_index_may_be_named(tmp_path: Path) -> None:
    package = sharded(tmp_path, weights="weights/net.safetensors.index.json", **SHARDS)
    (tmp_path / "model_config.yaml").write_text("model: {weights_file: weights/net.safetensors.index.json}\n")

    assert check(package, IMAGES) == ()
    assert settle(package, IMAGES).counts.parameters == 18


def test_a_shard_is_looked_at_as_the_only_file_is(tmp_path: Path) -> None:
    package = sharded(tmp_path, a="one.safetensors", b="gone.safetensors", c="two.safetensors")
    (tmp_path / "two.safetensors").write_bytes(b"short")

    found = refused(package)

    assert [(each.code, each.path) for each in found] == [
        ("missing_file", "gone.safetensors"),
        ("invalid_weights", "two.safetensors"),
    ]


@pytest.mark.parametrize(
    ("index", "why"),
    [
        ("[", "not valid JSON"),
        ("[" * 20_000, "not valid JSON"),
        ("{}", "weight_map is not a mapping"),
        ('{"weight_map": {}}', "weight_map is not a mapping"),
        ('{"weight_map": {"a": 1}}', "weight_map is not a mapping"),
        ('{"weight_map": {"a": "../up.safetensors"}}', "“../up.safetensors”, which is not"),
        ('{"weight_map": {"a": "b/c.safetensors"}}', "“b/c.safetensors”, which is not"),
        ('{"weight_map": {"a": "x.bin"}}', "“x.bin”, which is not"),
        (json.dumps({"weight_map": {str(n): f"{n}.safetensors" for n in range(101)}}), "names 101 files"),
        (" " * (4 * 2**20 + 1), "more than 4,194,304 bytes"),
    ],
)
def test_a_wrong_index_is_refused_with_a_reason(tmp_path: Path, index: str, why: str) -> None:
    package = sharded(tmp_path, **SHARDS)
    (tmp_path / "model.safetensors.index.json").write_text(index)

    (finding,) = refused(package)

    assert (finding.code, finding.path) == ("invalid_weights", "model.safetensors.index.json")
    assert why in str(finding.facts["why"])


def test_configuration_weights_and_source_are_found_wrong_together(tmp_path: Path) -> None:
    package = packaged(tmp_path, config="modality: video\nmodel: {depth: .inf}\ndtypes: me\n", source="x = 1")
    (tmp_path / "model.safetensors").write_bytes(b"")

    assert [(finding.code, finding.path) for finding in refused(package)] == [
        *[("invalid_config", "model_config.yaml")] * 3,
        ("invalid_weights", "model.safetensors"),
        ("invalid_config", "model.py"),
    ]


@pytest.mark.parametrize(
    ("preprocessing", "track", "why"),
    [
        ("{resize: [32, 64]}", replace(IMAGES, input=InputContract(shape=(3, 32, 32))), "states width 64"),
        ("{max_frames: 8}", replace(VIDEOS, input=replace(VIDEOS.input, shape=(4, 3, 9, 9))), "8 frames"),
        ("{max_frames: 8, num_frames: 4}", VIDEOS, "differ"),
        ("{sample_rate: 8000}", SOUNDS, "sample_rate is 8000"),
        ("{sample_rate: 16000, duration_seconds: 5.9}", SOUNDS, "94400 samples"),
        ("{duration_seconds: 3}", SOUNDS, "48000 samples"),
    ],
)
def test_input_that_the_track_does_not_feed_is_refused(
    tmp_path: Path, preprocessing: str, track: TrackSpec, why: str
) -> None:
    config = f"modality: {track.input.reader}\nmodel: {{}}\npreprocessing: {preprocessing}\n"

    assert why in only_reason(packaged(tmp_path, config=config), track)


# --- warnings


def test_normalisation_is_left_to_the_model_and_said_so(tmp_path: Path) -> None:
    config = CONFIG + "preprocessing: {normalize: {mean: [0.5], std: [0.5]}}\n"

    (warning,) = check(packaged(tmp_path, config=config), IMAGES)

    assert (warning.code, warning.path) == ("normalisation_left_to_model", "model_config.yaml")


def test_weights_that_are_not_finite_are_a_warning_with_the_tensor(tmp_path: Path) -> None:
    package = packaged(tmp_path)
    weights = {"a": np.ones(2, np.float32), "b": np.array([1, np.nan], np.float32)}
    safetensors.numpy.save_file(weights, tmp_path / "model.safetensors")

    (warning,) = check(package, IMAGES)

    assert (warning.code, dict(warning.facts)) == (
        "weights_not_finite",
        {"found": 1, "total": 4, "tensor": "b"},
    )


def test_what_gasbench_would_block_is_advice_and_no_refusal(tmp_path: Path) -> None:
    source = "import os\ndef load_model(weights_path, num_classes=2): return getattr(os, 'x')\n"

    (warning,) = check(packaged(tmp_path, source=source), IMAGES)

    assert (warning.code, warning.path) == ("blocked_by_gasbench", "model.py")
    assert warning.facts == {"found": "line 1 imports os, line 2 calls getattr"}
    render_all([warning])


# --- the source


def test_a_source_that_is_no_python_is_told_beside_the_rest(tmp_path: Path) -> None:
    package = packaged(tmp_path, config="modality: video\nmodel: {}\n", source="def load_model(:")

    assert [finding.path for finding in refused(package)] == ["model_config.yaml", "model.py"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = 1", "it does not define any function"),
        ("def build(path): ...", "it defines only build"),
        ("async def load_model(path): ...", "its load_model is async"),
        ("class A:\n    def load_model(path): ...", "it does not define any function"),
        ("def load_model(): ...", "takes no positional argument"),
        ("def load_model(*, weights_path, num_classes): ...", "takes no positional argument"),
        ("def load_model(num_classes, weights_path): ...", "the first argument"),
        ("def load_model(weights_path): ...", "does not take num_classes"),
        ("def load_model(weights_path, num_classes, /): ...", "by position only"),
        ("def load_model(weights_path, num_classes, depth): ...", "needs depth"),
        ("def load_model(weights_path, *, num_classes, depth): ...", "needs depth"),
    ],
)
def test_a_load_model_that_cannot_be_called_is_refused(tmp_path: Path, source: str, why: str) -> None:
    package = packaged(tmp_path, source=source)

    assert any(why in str(finding.facts["why"]) for finding in refused(package))


@pytest.mark.parametrize(
    "source",
    [
        "def load_model(weights_path, num_classes=2, depth=3): ...",
        "def load_model(path, *, num_classes): ...",
        "def load_model(path, *, num_classes=2, depth=3): ...",
        "def load_model(path, **kwargs): ...",
        "def load_model(*args, **kwargs): ...",
        "from loading import load_model",
        "from loading import *",
        "load_model = lambda path, num_classes: ...",
        "try:\n    import timm\nexcept ImportError:\n    def load_model(path, num_classes): ...",
        "@cached\ndef load_model(): ...",
    ],
)
def test_a_load_model_that_may_be_called_passes(tmp_path: Path, source: str) -> None:
    assert check(packaged(tmp_path, source=source), IMAGES) == ()


def test_without_num_classes_nothing_is_handed_over_for_it(tmp_path: Path) -> None:
    package = packaged(tmp_path, config="modality: image\nmodel: {}\n", source="def load_model(path): ...")

    assert check(package, IMAGES) == ()
    assert settle(package, IMAGES).options["arguments"] == {}


# --- what the package settles


@pytest.mark.parametrize(
    ("preprocessing", "track", "shape"),
    [
        ("{}", IMAGES, (3, 224, 224)),
        ("{resize: [32, 64]}", IMAGES, (3, 32, 64)),
        ("{}", VIDEOS, (16, 3, 224, 224)),
        ("{max_frames: 64, resize: [8, 16]}", VIDEOS, (64, 3, 8, 16)),
        ("{num_frames: 5}", VIDEOS, (5, 3, 224, 224)),
        ("{}", SOUNDS, (96_000,)),
        ("{sample_rate: 16000, duration_seconds: 6.0}", SOUNDS, (96_000,)),
    ],
)
def test_open_sides_come_from_the_configuration(
    tmp_path: Path, preprocessing: str, track: TrackSpec, shape: tuple[int, ...]
) -> None:
    config = f"modality: {track.input.reader}\nmodel: {{}}\npreprocessing: {preprocessing}\n"

    assert settle(packaged(tmp_path, config=config), track).track.input.shape == shape


def test_a_stated_frame_rate_thins_the_video(tmp_path: Path) -> None:
    config = "modality: video\nmodel: {}\npreprocessing: {frame_rate: 2.5}\n"

    assert settle(packaged(tmp_path, config=config), VIDEOS).track.input.frame_rate == 2.5


def test_options_carry_weights_arguments_and_dtype(tmp_path: Path) -> None:
    config = "modality: image\nmodel: {num_classes: 2, depth: 3, names: [a, b]}\ndtype: BF16\n"

    settled = settle(packaged(tmp_path, config=config), IMAGES)

    assert settled.options == {
        "weights_file": "model.safetensors",
        "arguments": {"num_classes": 2, "depth": 3, "names": ["a", "b"]},
        "dtype": "bfloat16",
    }


def test_the_weights_header_gives_the_parameters(tmp_path: Path) -> None:
    assert settle(packaged(tmp_path), IMAGES).counts.parameters == 3 * 2
