"""The two documents for people: counts by hand, and that times stand apart from what must not change."""

from dataclasses import replace

import pytest

from scoring.benchmark.records import Record, sample_id
from scoring.benchmark.results import results, summary
from scoring.contracts import Format, Metric, ScoreReport, ScoreValue, Usage, Verdict
from scoring.tracks import load_track

RECORD = Record(
    run_id="r",
    mode="debug",
    modality="image",
    target_height=8,
    target_width=8,
    augment_level=0,
    crop_prob=0.0,
    aug_pass=False,
    dataset_name="a",
    iteration_index=0,
    media_type="real",
    label=0,
    predicted=0,
    probs=[0.9, 0.1],
    correct=True,
    weight=1.0,
    batch_id=0,
    batch_size=4,
    sample_seed=42,
    source_file="x.png",
    sample_id="i",
)
WRONG = replace(RECORD, predicted=1, correct=False)
FAKE = replace(RECORD, dataset_name="b", media_type="synthetic", label=1, predicted=1)
TRACK = replace(load_track("cvpr2022-track1").spec, metric=Metric.SN34_SCORE)
RECORDS = [RECORD, WRONG, RECORD, FAKE, replace(FAKE, aug_pass=True, correct=False)]


@pytest.fixture
def report() -> ScoreReport:
    score = ScoreValue(
        value=0.25,
        ci=(0.1, 0.4),
        higher_is_better=True,
        version="1",
        details={"mcc": 0.5, "brier": 0.1, "cross_entropy": 0.3},
    )
    return ScoreReport(
        verdict=Verdict.SCORED,
        format=Format.ONNX,
        track="t",
        benchmark=None,
        usage=Usage(parameters=1, trainable_parameters=1, macs=1, macs_by_counter={}, cpu_s_per_sample=0.5),
        scores={Metric.SN34_SCORE: score, Metric.ACCURACY: replace(score, value=0.125)},
        timings_s={"predict": 10.0},
    )


@pytest.fixture
def document(report: ScoreReport) -> dict:
    metadata = {"track": "t", "mode": "debug", "model_path": "m.zip", "plan": "sha256:1", "seed": 42}
    return results(report, RECORDS, track=TRACK, metadata=metadata, validation={}, composition={}, blend=None)


def test_accuracy_counts_the_records_of_the_first_pass(document: dict) -> None:
    assert document["overall_score"] == document["results"]["accuracy"] == 3 / 4
    assert (document["results"]["total_samples"], document["results"]["correct_predictions"]) == (4, 3)


def test_the_parts_of_the_score_have_gasbenchs_names(document: dict) -> None:
    expected = {
        "sn34_score": 0.25,
        "binary_mcc": 0.5,
        "binary_brier": 0.1,
        "binary_cross_entropy": 0.3,
    }

    assert expected.items() <= document["results"].items()


def test_the_parts_of_the_multiclass_score_have_gasbenchs_names_too(report: ScoreReport) -> None:
    score = replace(report.scores[Metric.SN34_SCORE], value=0.75)
    report = replace(report, scores={Metric.SN34_MULTICLASS: score})

    document = results(report, RECORDS, track=TRACK, metadata={}, validation={}, composition={}, blend=None)

    figures = document["results"]
    assert figures["multiclass_sn34_score"] == 0.75
    assert (figures["gorodkin_mcc"], figures["multiclass_brier"]) == (0.5, 0.1)
    assert "binary_mcc" not in figures


def test_groups_and_media_are_counted_apart(document: dict) -> None:
    assert document["per_dataset"]["a"] == {
        "correct": 2,
        "total": 3,
        "accuracy": 2 / 3,
        "predictions": {"real": 2, "synthetic": 1},
    }
    assert document["accuracy_by_media_type"] == {
        "real": {"correct": 2, "samples": 3, "accuracy": 2 / 3},
        "synthetic": {"correct": 1, "samples": 1, "accuracy": 1.0},
    }
    assert document["dataset_media_types"] == {"a": ["real"], "b": ["synthetic"]}
    assert document["per_class_recall"] == {"0": 2 / 3, "1": 1.0}


def test_the_mean_time_is_over_all_predictions(document: dict) -> None:
    assert document["metrics"]["performance"]["avg_inference_time_ms"] == pytest.approx(10_000 / 5)


def test_a_track_of_other_classes_has_no_media_types(document: dict) -> None:
    assert "media type" in summary(document)
    assert "media type" not in summary({**document, "accuracy_by_media_type": {}})


def test_the_summary_names_plan_scores_and_groups(document: dict) -> None:
    lines = summary(document).splitlines()

    assert lines[:3] == [
        "t: debug run of m.zip",
        "plan sha256:1, seed 42",
        "samples 4, correct 3, accuracy 0.750000",
    ]
    assert "sn34_score 0.250000" in lines
    assert any(line.split() == ["a", "3", "2", "0.666667"] for line in lines)


def test_sample_ids_differ_by_group_and_by_file() -> None:
    ids = {sample_id(group=group, file=file) for group in ("a", "b") for file in ("x", "y")}

    assert len(ids) == 4
    assert all(len(name) == 16 for name in ids)
