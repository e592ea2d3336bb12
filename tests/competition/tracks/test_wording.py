from dataclasses import replace

import pytest
import torch

from competition.tracks.wording import (
    CAPTURE_WORDS,
    MACS_COUNTER_WORDS,
    OUTPUT_WORDS,
    PRECISION_WORDS,
    accepted_suffixes,
    directed_title,
    example_model,
    input_in_words,
    max_package_bytes,
    quantisation_in_words,
)
from scoring.contracts import (
    ArchiveLimits,
    Budgets,
    Capture,
    ChannelOrder,
    Dtype,
    Fit,
    Format,
    InputContract,
    MacsCounter,
    OutputKind,
    Precision,
    Quantisation,
    Reader,
)
from scoring.tracks import load_track


@pytest.fixture
def spec():
    return load_track("cvpr2022-track1").spec


def run_example(spec, images, folder):
    """Execute the example as a participant would and return its output."""
    names = {"__file__": str(folder / "model.py"), "__name__": "model"}
    exec(compile(example_model(spec), "model.py", "exec"), names)  # noqa: S102 - the text under test is a program
    with torch.no_grad():
        return names["Model"]()(images)


def test_every_output_kind_is_explained():
    assert set(OUTPUT_WORDS) == set(OutputKind)


def test_the_example_model_returns_the_contracts_shape(spec, tmp_path):
    output = run_example(spec, torch.zeros(2, 3, 224, 224), tmp_path)

    assert tuple(output.shape) == (2, 100)


def test_the_example_model_follows_a_confidence_contract(tmp_path):
    spec = load_track("cvpr2022-track2").spec

    assert tuple(run_example(spec, torch.zeros(3, 3, 224, 224), tmp_path).shape) == (3, 1)


def test_the_example_model_takes_bytes_where_the_contract_gives_bytes(spec, tmp_path):
    of_bytes = InputContract(shape=(3, 32, 32), dtype=Dtype.UINT8, high=255.0, channel_order=ChannelOrder.RGB)

    output = run_example(
        replace(spec, input=of_bytes), torch.zeros(2, 3, 32, 32, dtype=torch.uint8), tmp_path
    )

    assert output.is_floating_point()
    assert "flip" not in example_model(replace(spec, input=of_bytes))


def test_the_input_contract_names_shape_values_and_channels(spec):
    assert input_in_words(spec) == {
        "Shape": "N × 3 × 224 × 224",
        "Values": "32-bit floats from 0 to 1",
        "Channels": "blue, green, red (BGR)",
        "Orientation": "turned as their EXIF data say",
        "Other sizes": "stretched to height and width",
    }


def test_a_tracks_own_mean_and_std_are_named(spec):
    own = replace(spec.input, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))

    words = input_in_words(replace(spec, input=own))

    assert words["Normalised"] == (
        "per channel: minus 0.485, 0.456, 0.406, then divided by 0.229, 0.224, 0.225"
    )
    assert "then normalised" in example_model(replace(spec, input=own))
    assert "Normalised" not in input_in_words(spec)


def test_a_byom_package_may_have_a_mean_and_std_of_its_own():
    spec = load_track("byom-segmentation").spec
    own = replace(spec.input, mean=(0.5,) * 3, std=(0.25,) * 3)

    words = input_in_words(replace(spec, input=own))

    assert words["Normalised"].endswith("unless the package states its own mean and std")


def test_the_input_of_video_names_its_frames_and_what_becomes_of_other_sizes(spec):
    video = InputContract(
        reader=Reader.VIDEO, shape=(16, 3, 8, 8), fit=Fit.CROP_TO_ASPECT_THEN_RESIZE, frame_rate=2.5
    )

    words = input_in_words(replace(spec, input=video))

    assert words["Shape"] == "N × 16 × 3 × 8 × 8"
    assert words["Channels"] == "blue, green, red (BGR)"
    assert words["Frames"].startswith("about 2.5 a second")
    assert words["Other sizes"].startswith("cropped around the centre")


def test_the_input_of_audio_names_its_rate_and_no_colours(spec):
    sound = InputContract(reader=Reader.AUDIO, shape=(96_000,), low=-1.0)

    words = input_in_words(replace(spec, input=sound))

    assert words["Shape"] == "N × 96000"
    assert words["Values"] == "32-bit floats from -1 to 1"
    assert words["Sound"].startswith(
        "mono, the mean of their channels; 16,000 values a second, resampled by soxr"
    )
    assert "Channels" not in words


def test_the_input_of_gasbench_audio_says_that_ffmpeg_mixes_and_that_peaks_stay():
    words = input_in_words(load_track("gasbench-audio").spec)

    assert words["Values"] == "32-bit floats from -1 to 1; loud sounds may go beyond"
    assert words["Sound"].startswith("mono, mixed as by FFmpeg: (left + right) × 0.7071")
    assert "by swresample" in words["Sound"]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (
            {"resize": (256,), "crop": (224,)},
            "resized as by torchvision, the shorter edge to 256 (bilinear, antialiased), then cropped to 224 around "
            "the centre",
        ),
        (
            {"resize": (256, 300), "crop": (224, 224), "antialias": False},
            "resized as by torchvision, to 256 × 300 (bilinear, not antialiased), then cropped to 224 × 224 around "
            "the centre",
        ),
        ({}, "resized as by torchvision, to height and width (bilinear, antialiased)"),
    ],
)
def test_a_fit_of_torchvision_is_told_with_its_numbers(spec, stated, expected):
    of_torchvision = InputContract(fit=Fit.TORCHVISION, **stated)

    words = input_in_words(replace(spec, input=of_torchvision))

    assert words["Other sizes"] == expected


def test_pictures_left_as_stored_are_named():
    words = input_in_words(load_track("gasbench-image").spec)

    assert words["Orientation"] == "as stored; what their EXIF data say is ignored"


def test_the_input_of_byom_names_what_the_package_may_state():
    words = input_in_words(load_track("byom-segmentation").spec)

    assert words["Shape"] == "N × 3 × any × any"
    assert words["Any"] == "the size stated by the package"
    assert words["Values"] == "32-bit floats from 0 to 1, then normalised if the package states mean and std"
    assert words["Channels"] == "red, green, blue (RGB), unless the package states the other order"


@pytest.mark.parametrize("frames", [1, 4])
def test_the_example_model_takes_video(spec, frames, tmp_path):
    video = InputContract(reader=Reader.VIDEO, shape=(frames, 3, 8, 8), dtype=Dtype.UINT8, high=255.0)
    of_video = replace(spec, input=video)

    output = run_example(of_video, torch.zeros(2, frames, 3, 8, 8, dtype=torch.uint8), tmp_path)

    assert tuple(output.shape) == (2, 100)
    assert "clips.flip(2)" in example_model(of_video)


def test_the_example_model_takes_audio(spec, tmp_path):
    of_sound = replace(spec, input=InputContract(reader=Reader.AUDIO, shape=(500,), low=-1.0))

    output = run_example(of_sound, torch.zeros(2, 500), tmp_path)

    assert tuple(output.shape) == (2, 100)
    assert "BGR" not in example_model(of_sound)


def test_a_track_without_quantisation_says_nothing_of_it(spec):
    assert quantisation_in_words(spec) == ""


def test_a_second_precision_is_told_with_its_samples_and_its_points(spec):
    asked = Quantisation(calibration_samples=1_200, max_drop_points=2.5)

    words = quantisation_in_words(replace(spec, quantisation=asked))

    assert words.startswith("The entry is also run in w8a8, with 8-bit weights and activations")
    assert "calibrated on up to 1,200 samples of the public split" in words
    assert "(Accuracy) may then be at most 2.5 points lower, or the entry is rejected" in words


def test_every_precision_is_explained():
    assert set(PRECISION_WORDS) == set(Precision)
    assert set(MACS_COUNTER_WORDS) == set(MacsCounter)
    assert set(CAPTURE_WORDS) == set(Capture)


def test_the_file_chooser_offers_each_ending_once(spec):
    assert accepted_suffixes(spec) == ".zip,.onnx"


@pytest.mark.parametrize(
    ("metric", "words"),
    [("brier", "Brier score (lower is better)"), ("accuracy", "Accuracy"), ("of_old", "of_old")],
)
def test_a_metric_beside_others_says_where_less_is_better(metric, words):
    assert directed_title(metric) == words


@pytest.mark.parametrize(
    ("budgets", "limit"),
    [
        pytest.param(Budgets(max_parameters=30), 4 * 30 + 4 * 2**20, id="what the parameters take"),
        pytest.param(Budgets(max_parameters=30, max_package_bytes=500), 500, id="the track's own"),
        pytest.param(Budgets(), 999, id="what may be unpacked"),
    ],
)
@pytest.mark.parametrize("package_format", Format)
def test_one_limit_of_bytes_holds_for_every_format(spec, budgets, limit, package_format):
    archives = ArchiveLimits(max_unpacked_bytes=999)
    spec = replace(spec, formats=(package_format,), budgets=budgets, archive_limits=archives)

    assert max_package_bytes(spec) == limit
