"""The three gasbench presets say what the contract of GASBench says."""

from __future__ import annotations

import pytest

from scoring.contracts import (
    ChannelOrder,
    Decoder,
    Dtype,
    Fit,
    Format,
    Metric,
    Mix,
    Orientation,
    Peaks,
    Reader,
    Resampler,
)
from scoring.tracks import load_track

PRESETS = ("gasbench-image", "gasbench-video", "gasbench-audio")


@pytest.mark.parametrize("preset", PRESETS)
def test_two_classes_are_ranked_by_sn34(preset: str) -> None:
    spec = load_track(preset).spec

    assert (spec.formats, spec.output.width, spec.metric) == ((Format.GASBENCH,), 2, Metric.SN34_SCORE)


@pytest.mark.parametrize(
    ("preset", "reader", "shape", "order"),
    [
        ("gasbench-image", Reader.IMAGE, (3, None, None), ChannelOrder.RGB),
        ("gasbench-video", Reader.VIDEO, (None, 3, None, None), ChannelOrder.RGB),
    ],
)
def test_pictures_are_bytes_cropped_to_the_aspect(
    preset: str, reader: Reader, shape: tuple[int | None, ...], order: ChannelOrder
) -> None:
    contract = load_track(preset).spec.input

    assert (contract.reader, contract.shape, contract.channel_order) == (reader, shape, order)
    assert (contract.dtype, contract.low, contract.high) == (Dtype.UINT8, 0, 255)
    assert contract.fit is Fit.CROP_TO_ASPECT_THEN_RESIZE


@pytest.mark.parametrize("preset", ["gasbench-image", "gasbench-onnx-image"])
def test_pictures_are_decoded_as_gasbench_does(preset: str) -> None:
    contract = load_track(preset).spec.input

    assert (contract.decoder, contract.orientation) == (Decoder.PILLOW, Orientation.AS_STORED)


def test_sound_is_mixed_and_resampled_as_gasbench_does() -> None:
    contract = load_track("gasbench-audio").spec.input

    assert (contract.mix, contract.resampler, contract.peaks) == (
        Mix.FFMPEG,
        Resampler.SWRESAMPLE,
        Peaks.KEEP,
    )


def test_sound_is_six_seconds_of_floats_around_zero() -> None:
    contract = load_track("gasbench-audio").spec.input

    assert (contract.reader, contract.dtype, contract.low, contract.high) == (
        Reader.AUDIO,
        Dtype.FLOAT32,
        -1,
        1,
    )
    assert contract.shape == (6 * contract.sample_rate,)


@pytest.mark.parametrize(("preset", "batch_size"), [*zip(PRESETS, (32, 4, 16), strict=True)])
def test_batches_are_those_of_gasbench(preset: str, batch_size: int) -> None:
    assert load_track(preset).spec.run_limits.batch_size == batch_size
