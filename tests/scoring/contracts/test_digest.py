"""The digest of a spec: pinned for good, over what decides a score and over nothing else."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, make_dataclass, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scoring.contracts import (
    ChannelOrder,
    Decoder,
    FieldFacts,
    Fit,
    Metric,
    Mix,
    Orientation,
    Peaks,
    Quantisation,
    Resampler,
    TrackSpec,
    completed,
    described,
    digest_of,
    left_out_value,
    places_that_change_no_score,
    values_that_score,
)
from scoring.contracts.digest import digest_form
from scoring.tracks import load_track, presets

DIGESTS = {
    "byom-anomaly": "sha256:68773fc7f6e587bdf7c1bb516cc4d95d6e9096df461c4af1111f624027568446",
    "byom-classification": "sha256:b6c15352c00f97d0932b92c84aa8ddd51d82b518f2fb6e9cca255bce1246c785",
    "byom-detection": "sha256:9548ca1d6a6b9e85dd90c5396468a62eb1925c5345c3dc6835c80b213f404434",
    "byom-segmentation": "sha256:3ab68a7431af4b766e1e810ef6ed3e7d95804208be1be1da15ea0f0f0f345a39",
    "cvpr2022-track1": "sha256:322b3ec0c19afa522fccbde90a7a2384b3d26d073b8a18f992559d536968ce80",
    "cvpr2022-track2": "sha256:6008a5af7d8ffd84a98328319ac76bac49d65504a1c7662eb7647f1492f22cc5",
    "gasbench-audio": "sha256:bb594330cb3b1d0e91b30dc998d7782418407d41839bd088a2cacec91fe1de7c",
    "gasbench-image": "sha256:17587ba9fca9c45251fa699b01b81b2b755c7d373c3969851507f356e3495744",
    "gasbench-onnx-image": "sha256:0d24be701189827cd1b7ad75746f9f2317804d497d17b61394e5f59d4fa6d8fc",
    "gasbench-onnx-video": "sha256:5f82f27dfbe427f7d18d51214a5b6500bfc9597686060ce1cfbe7b208f058ed5",
    "gasbench-video": "sha256:7980cd29ceaa31d193a483d3d3ef6281c1809fee129ae5f94bcc6c10158d3359",
    "qaihub-classification": "sha256:7be8455c4da9092fd9ca2cd4057d819369513277f997b5005b29a20f4e4562bb",
}
LEFT_OUT = {
    "input.reader": "image",
    "input.shape": (3, 224, 224),
    "input.dtype": "float32",
    "input.low": 0.0,
    "input.high": 1.0,
    "input.channel_order": "bgr",
    "input.decoder": "opencv",
    "input.orientation": "upright",
    "input.fit": "stretch",
    "input.resize": None,
    "input.crop": None,
    "input.interpolation": "bilinear",
    "input.antialias": True,
    "input.mean": None,
    "input.std": None,
    "input.frame_rate": None,
    "input.sample_rate": 16000,
    "input.mix": "mean",
    "input.resampler": "soxr",
    "input.peaks": "clip",
    "output.width": 0,
    "output.classes": 0,
    "output.box_layout": None,
    "output.class_names": (),
    "extra_metrics": (),
    "environment": "default",
    "budgets.max_parameters": None,
    "budgets.max_macs": None,
    "budgets.macs_counter": "exact",
    "budgets.capture": "preferred",
    "budgets.max_package_bytes": None,
    "budgets.max_latency_ms": None,
    "quantisation": None,
    "quantisation.precision": "w8a8",
    "quantisation.sensitive_percent": 10.0,
    "quantisation.calibration_samples": 100,
    "quantisation.max_drop_points": 10.0,
    "archive_limits.max_entry_bytes": 536870912,
    "archive_limits.max_unpacked_bytes": 2147483648,
    "archive_limits.max_files": 2000,
    "archive_limits.max_depth": 16,
    "archive_limits.max_ratio": 200.0,
    "run_limits.max_memory_bytes": 6442450944,
    "run_limits.processes": "refused",
    "run_limits.max_processes": 256,
    "run_limits.max_file_bytes": 536870912,
    "run_limits.max_tmp_bytes": 536870912,
    "run_limits.max_log_bytes": 1048576,
    "run_limits.measure_timeout_s": 300.0,
    "run_limits.predict_timeout_s": 3600.0,
    "run_limits.threads": 2,
    "run_limits.batch_size": 32,
    "run_limits.seed": 0,
}
OF_OPENCV = {"decoder": Decoder.OPENCV, "orientation": Orientation.UPRIGHT}
OF_THREE = {
    "extra_metrics": (Metric.SN34_MULTICLASS, Metric.ACCURACY, Metric.MCC, Metric.BRIER),
}
BEFORE = {
    "gasbench-audio": (
        {"mix": Mix.MEAN, "resampler": Resampler.SOXR, "peaks": Peaks.CLIP},
        {},
        "sha256:aa63947105fe2c8bb82f6b32fe19d7103163bf0d0b088d4001ea77a75ac0ba18",
    ),
    "gasbench-image": (
        OF_OPENCV,
        {},
        "sha256:38eac77538f571b608998cc9b76e9936c77d610251e6e18e0817ad04b07b5dcc",
    ),
    "gasbench-onnx-image": (
        OF_OPENCV,
        OF_THREE,
        "sha256:c46b1847e804d4ebf65a8b1a69143c1d7789866858ba09d250ee47777927dc2e",
    ),
    "gasbench-onnx-video": (
        {},
        OF_THREE,
        "sha256:e942a9299689b5e948e0508a19681de705d6e79d72f583ba372dadeaf3dae2d4",
    ),
    "gasbench-video": (
        {"channel_order": ChannelOrder.BGR},
        {},
        "sha256:ce336dab3fccdcbfd38ee58812165e95faaf534e164d5d5d33655c48530fd606",
    ),
    "qaihub-classification": (
        {**OF_OPENCV, "fit": Fit.SHORTEST_EDGE_THEN_CENTRE_CROP, "resize": None, "crop": None},
        {"quantisation": Quantisation()},
        "sha256:f6a6419276ecc6e534cb99e50c9191db5f228cf9fb15eba812b37e2a8188e726",
    ),
}
"""What presets said before, with the digests that tracks made from them have in every database."""
SECTIONS = ("input", "output", "budgets", "quantisation", "archive_limits", "run_limits")
BASE = replace(load_track("cvpr2022-track1").spec, quantisation=Quantisation(calibration_samples=50))
ANOTHER = "a value that no field has"

# No field is a number or a truth value, and Python takes 0 for False.
PLAIN = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = PLAIN | st.sampled_from(Fit) | st.lists(PLAIN, max_size=3).map(tuple)


def places(contract: Any, prefix: str = "") -> Iterator[str]:
    """Yield every field by its place, sections' fields too."""
    for one in fields(contract):
        value = getattr(contract, one.name)
        if is_dataclass(value):
            yield from places(value, f"{prefix}{one.name}.")
        else:
            yield prefix + one.name


def changed(contract: Any, place: str, value: object) -> Any:
    """Return the contract with another value at a place."""
    first, _, rest = place.partition(".")
    return replace(contract, **{first: changed(getattr(contract, first), rest, value) if rest else value})


def with_new_field(contract: Any, default: object) -> Any:
    """Return the contract as a release would read it that has one more field, with a default."""
    kind = type(contract)
    larger = make_dataclass(
        kind.__name__, [("toy", object, field(default=default))], bases=(kind,), frozen=True, kw_only=True
    )
    return larger(**{one.name: getattr(contract, one.name) for one in fields(kind)})


def with_toy(spec: TrackSpec, section: str, default: object) -> TrackSpec:
    """Return the spec with a new field at its top, or in one of its sections."""
    if not section:
        return with_new_field(spec, default)
    return replace(spec, **{section: with_new_field(getattr(spec, section), default)})


@pytest.mark.parametrize("preset", presets())
def test_the_digest_of_a_preset_never_moves(preset: str) -> None:
    assert load_track(preset).spec.digest() == DIGESTS.get(preset), (
        f"The digest of {preset} moved. If its own document was changed on purpose, write the new digest here. "
        "If a field was added or its default changed, every stored track would differ from its benchmark version: "
        "give a new field a default that changes nothing, and state the old default of another as `left_out_at`."
    )


@pytest.mark.parametrize("preset", BEFORE)
def test_a_track_from_before_a_preset_changed_keeps_its_digest(preset: str) -> None:
    read, scored, digest = BEFORE[preset]
    spec = load_track(preset).spec

    assert replace(spec, input=replace(spec.input, **read), **scored).digest() == digest
    assert spec.digest() != digest


def test_what_a_digest_leaves_out_never_changes() -> None:
    assert dict(left_out(TrackSpec)) == LEFT_OUT, (
        "For a new field, add its default here. For a changed default, state the old one at the field as `left_out_at` "
        "and leave this table alone: stored tracks then keep their digests."
    )


def left_out(contract: Any, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the value at which each field is left out; required fields have none."""
    instance = getattr(BASE, prefix.rstrip(".")) if prefix else BASE
    for one in fields(contract):
        value = left_out_value(one)
        section = getattr(instance, one.name)
        if value is not MISSING and not is_dataclass(value):
            yield prefix + one.name, value
        if is_dataclass(section):
            yield from left_out(type(section), f"{prefix}{one.name}.")


@pytest.mark.parametrize("place", tuple(places(BASE)))
def test_a_field_moves_the_digest_exactly_if_it_changes_scores(place: str) -> None:
    moved = changed(BASE, place, ANOTHER).digest() != BASE.digest()

    assert moved == (place not in places_that_change_no_score(TrackSpec))


def test_three_fields_change_no_score() -> None:
    assert places_that_change_no_score(TrackSpec) == {"slug", "name", "output.class_names"}


@given(section=st.sampled_from(("", *SECTIONS)), preset=st.sampled_from(presets()), default=VALUES)
def test_a_new_field_at_its_default_moves_no_digest(section: str, preset: str, default: object) -> None:
    spec = load_track(preset).spec
    spec = replace(spec, quantisation=Quantisation()) if section == "quantisation" else spec

    assert with_toy(spec, section, default).digest() == spec.digest()


@given(section=st.sampled_from(("", *SECTIONS)), default=VALUES, value=VALUES)
def test_a_new_field_at_another_value_moves_the_digest(section: str, default: object, value: object) -> None:
    assume(value != default)
    spec = with_toy(BASE, section, default)

    place = f"{section}.toy" if section else "toy"

    assert changed(spec, place, value).digest() != BASE.digest()


@pytest.mark.parametrize("section", ["budgets", "archive_limits", "run_limits", "input"])
def test_a_section_at_its_defaults_is_left_out(section: str) -> None:
    kind = type(getattr(BASE, section))

    assert section not in digest_form(replace(BASE, **{section: kind()}))


def test_an_optional_section_counts_by_being_there() -> None:
    without = replace(BASE, quantisation=None)

    assert replace(BASE, quantisation=Quantisation()).digest() != without.digest()


@given(
    first=st.sampled_from(tuple(places(BASE))),
    second=st.sampled_from(tuple(places(BASE))),
    values=st.tuples(VALUES, VALUES),
    quantised=st.tuples(st.booleans(), st.booleans()),
)
def test_digests_are_equal_exactly_if_all_values_that_score_are(
    first: str, second: str, values: tuple[object, object], quantised: tuple[bool, bool]
) -> None:
    specs = [
        replace(changed(BASE, place, value), **({} if kept else {"quantisation": None}))
        for place, value, kept in zip((first, second), values, quantised, strict=True)
    ]

    same = values_that_score(specs[0]) == values_that_score(specs[1])

    assert (specs[0].digest() == specs[1].digest()) == same


def test_whole_numbers_are_the_same_with_and_without_a_point() -> None:
    assert changed(BASE, "budgets.max_latency_ms", 5).digest() == (
        changed(BASE, "budgets.max_latency_ms", 5.0).digest()
    )


# --- a default that changes ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Before:
    """A contract as it was released."""

    size: int = 224


@dataclass(frozen=True, kw_only=True)
class After:
    """The same contract once new tracks get another default."""

    size: int = field(default=256, metadata=described("Side of a picture.", left_out_at=224))


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A document with the section, required and optional."""

    section: After = field(default_factory=After)
    optional: After | None = None


@pytest.mark.parametrize("size", [224, 256, 512])
def test_a_changed_default_moves_no_digest(size: int) -> None:
    assert digest_of(digest_form(After(size=size))) == digest_of(digest_form(Before(size=size)))


def test_a_document_from_before_a_field_gets_the_value_from_before() -> None:
    assert completed({}, After) == {"size": 224}
    assert completed({"size": 256}, After) == {"size": 256}


def test_sections_of_an_old_document_are_completed_where_they_stand() -> None:
    assert completed({}, Whole) == {"section": {"size": 224}}
    assert completed({"optional": {}}, Whole) == {"section": {"size": 224}, "optional": {"size": 224}}


def test_nothing_is_added_where_no_default_has_changed() -> None:
    assert completed({}, Before) == {}


def test_a_field_changes_scores_unless_it_says_otherwise() -> None:
    assert FieldFacts().changes_scores
