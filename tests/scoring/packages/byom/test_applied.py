"""What the report says was done before and after a BYOM model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scoring.contracts import BoxLayout, ChannelOrder, Dtype, Metric, OutputKind, TrackSpec
from scoring.packages.byom.applied import applied
from scoring.packages.byom.processing import Processing
from scoring.tracks import load_track

CLASSES = load_track("byom-classification").spec
ANOMALIES = load_track("byom-anomaly").spec
BOXES = load_track("byom-detection").spec
MAPS = load_track("byom-segmentation").spec
NOTHING_STATED = Processing()
OPTIONS = {"batch": 1, "architecture": None, "columns": 10}


def settled(track: TrackSpec, **changes: object) -> TrackSpec:
    return replace(track, input=replace(track.input, shape=(3, 48, 64), **changes))


def told(track: TrackSpec, processing: Processing = NOTHING_STATED, **options: object) -> dict[str, str]:
    return applied(settled(track), processing, {**OPTIONS, **options})


def test_size_range_and_batch_are_told() -> None:
    facts = told(CLASSES)

    assert facts["size"] == "48 x 64 (height x width), stretch"
    assert facts["values"] == "0 to 1"
    assert facts["batch"].startswith("1 as stated")


def test_bytes_are_told_to_stay_as_they_are() -> None:
    track = settled(CLASSES, dtype=Dtype.UINT8, high=255.0)

    assert applied(track, Processing(), OPTIONS)["values"] == "0 to 255, as stored"


@pytest.mark.parametrize(
    ("order", "words"), [(None, "RGB (the track's)"), (ChannelOrder.RGB, "RGB (the package's)")]
)
def test_the_channel_order_says_whose_it_is(order: ChannelOrder | None, words: str) -> None:
    assert told(CLASSES, Processing(channel_order=order))["channel_order"] == words


def test_normalisation_is_told_in_numbers() -> None:
    track = settled(CLASSES, mean=(0.485, 0.5, 0.0), std=(0.25, 1.0, 2.0))

    words = applied(track, Processing(), OPTIONS)["normalisation"]

    assert words == "mean 0.485, 0.5, 0; standard deviation 0.25, 1, 2"


def test_no_normalisation_is_told_too() -> None:
    assert told(CLASSES)["normalisation"] == "none"


@pytest.mark.parametrize(
    ("track", "columns", "named", "words"),
    [
        (CLASSES, 10, "softmax", "softmax: logits, unchanged; the metric does the rest"),
        (CLASSES, 10, None, "logits, unchanged; the metric does the rest"),
        (ANOMALIES, 1, "anomaly_score", "anomaly_score: the number, unchanged"),
        (ANOMALIES, 2, "softmax", "softmax: softmax of the two numbers, then the second"),
        (MAPS, None, "argmax_per_pixel", "argmax_per_pixel: the best class of each pixel"),
        (BOXES, None, "yolo_nms", "yolo_nms: boxes as yolo, the best 300 per picture"),
    ],
)
def test_postprocessing_says_what_it_does(
    track: TrackSpec, columns: int | None, named: str | None, words: str
) -> None:
    assert told(track, Processing(postprocessing=named), columns=columns)["postprocessing"] == words


def test_stated_thresholds_of_boxes_are_told() -> None:
    facts = told(BOXES, Processing(thresholds={"confidence_threshold": 0.25, "nms_threshold": 0.45}))

    assert (facts["confidence_threshold"], facts["nms_threshold"]) == ("0.25", "0.45")


def test_thresholds_that_nobody_stated_are_told_as_defaults() -> None:
    facts = told(BOXES)

    assert (facts["confidence_threshold"], facts["nms_threshold"]) == ("0.001 (default)", "0.7 (default)")


def test_boxes_by_their_corners_keep_overlaps() -> None:
    track = replace(BOXES, output=replace(BOXES.output, box_layout=BoxLayout.CORNERS))

    assert told(track)["nms_threshold"] == "none: overlapping boxes stay"


def test_a_threshold_that_a_metric_reads_is_told_plainly() -> None:
    assert told(ANOMALIES, Processing(thresholds={"threshold": 0.75}), columns=1)["threshold"] == "0.75"


def test_a_threshold_that_no_metric_reads_is_told_so() -> None:
    words = told(CLASSES, Processing(thresholds={"threshold": 0.5}))["threshold"]

    assert words == "0.5, which this track's metrics do not use"


def test_the_ranking_metric_may_read_the_threshold() -> None:
    track = replace(ANOMALIES, metric=Metric.F1_AT_THRESHOLD, extra_metrics=())

    assert told(track, Processing(thresholds={"threshold": 0.75}), columns=1)["threshold"] == "0.75"


def test_the_architecture_is_named() -> None:
    assert told(CLASSES, architecture="resnet18")["architecture"] == "“resnet18”, for a state dict"


def test_a_package_without_an_architecture_names_none() -> None:
    assert "architecture" not in told(CLASSES)


def test_every_kind_of_output_has_words() -> None:
    for kind in OutputKind:
        track = replace(CLASSES, output=replace(BOXES.output, kind=kind))
        assert told(track)["postprocessing"]
