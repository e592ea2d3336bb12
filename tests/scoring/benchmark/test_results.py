"""The two documents for people: counts by hand, and that times stand apart from what must not change."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from pyarrow import parquet

from scoring.benchmark.blend import Blend
from scoring.benchmark.records import Record, sample_id, write_records
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
    dataset_path="a",
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
FAKE = replace(RECORD, dataset_name="b-holdout-1", media_type="synthetic", label=1, predicted=1)
TRACK = replace(load_track("cvpr2022-track1").spec, metric=Metric.SN34_SCORE)
RECORDS = [RECORD, WRONG, RECORD, FAKE, replace(FAKE, aug_pass=True, correct=False)]
METADATA = {"track": "t", "mode": "debug", "model_path": "m.zip", "plan": "sha256:1", "seed": 42}
# Chunks of three samples and of one.
SAMPLE_MS = np.array([10.0, 10.0, 10.0, 50.0])
PARTS = {"mcc": 0.5, "brier": 0.1, "cross_entropy": 0.3}
SCORE = ScoreValue(value=0.25, ci=(0.1, 0.4), higher_is_better=True, version="1", details=PARTS)

TOP_FIELDS = {
    "metadata",
    "overall_score",
    "validation",
    "errors",
    "results",
    "scores",
    "per_dataset",
    "accuracy_by_media_type",
    "dataset_media_types",
    "per_source_accuracy",
    "per_class_recall",
    "breakdown",
    "score_composition",
    "metrics",
}
FIGURES = {
    "total_samples",
    "correct_predictions",
    "accuracy",
    "avg_inference_time_ms",
    "p95_inference_time_ms",
    "binary_mcc",
    "binary_cross_entropy",
    "binary_brier",
    "sn34_score",
    "base_sn34_score",
    "binary_sn34_score",
    "multiclass_sn34_score",
    "gorodkin_mcc",
    "multiclass_brier",
    "aug_sn34_score",
    "augmentation_robustness",
    "aug_total_samples",
    "aug_paired_samples",
    "aug_binary_mcc",
    "aug_binary_cross_entropy",
    "aug_binary_brier",
    "aug_mean_prob_degradation",
    "aug_p95_prob_degradation",
}
COLUMNS = {
    "run_id",
    "run_started_at",
    "mode",
    "modality",
    "target_height",
    "target_width",
    "augment_level",
    "crop_prob",
    "aug_pass",
    "dataset_name",
    "iteration_index",
    "media_type",
    "status",
    "label",
    "predicted",
    "probs",
    "correct",
    "weight",
    "inference_time_ms",
    "batch_inference_time_ms",
    "batch_id",
    "batch_size",
    "sample_seed",
    "skip_reason",
    "error_message",
    "source_kind",
    "dataset_path",
    "hf_resolved_revision",
    "archive_filename",
    "path_in_archive",
    "source_file",
    "iso_week",
    "cache_relpath",
    "generator_hotkey",
    "generator_uid",
    "generator_name",
    "generator_model",
    "sample_id",
}


@pytest.fixture
def report() -> ScoreReport:
    return ScoreReport(
        verdict=Verdict.SCORED,
        format=Format.ONNX,
        track="t",
        benchmark=None,
        usage=Usage(parameters=1, trainable_parameters=1, macs=1, macs_by_counter={}, cpu_s_per_sample=0.5),
        scores={Metric.SN34_SCORE: SCORE, Metric.ACCURACY: replace(SCORE, value=0.125)},
        timings_s={"predict": 10.0},
    )


@pytest.fixture
def document(report: ScoreReport) -> dict:
    return written(report)


def written(report: ScoreReport, *, blend: Blend | None = None) -> dict:
    return results(
        report,
        RECORDS,
        track=TRACK,
        metadata=METADATA,
        validation={},
        composition={},
        blend=blend,
        sample_ms=SAMPLE_MS,
    )


def test_every_field_is_there_and_no_other(document: dict) -> None:
    assert set(document) == TOP_FIELDS
    assert set(document["results"]) == FIGURES


def test_accuracy_counts_the_records_of_the_first_pass(document: dict) -> None:
    assert document["overall_score"] == document["results"]["accuracy"] == 3 / 4
    assert (document["results"]["total_samples"], document["results"]["correct_predictions"]) == (4, 3)


def test_the_parts_of_the_score_have_gasbenchs_names(document: dict) -> None:
    found = {name: value for name, value in document["results"].items() if value is not None}

    assert found == {
        "total_samples": 4,
        "correct_predictions": 3,
        "accuracy": 0.75,
        # (3 * 10 + 50) / 4; position 0.95 * 3 = 2.85, between 10 and 50.
        "avg_inference_time_ms": 20.0,
        "p95_inference_time_ms": pytest.approx(10 + 0.85 * 40),
        "sn34_score": 0.25,
        "base_sn34_score": 0.25,
        "binary_sn34_score": 0.25,
        "binary_mcc": 0.5,
        "binary_brier": 0.1,
        "binary_cross_entropy": 0.3,
    }


def test_with_worn_samples_sn34_score_is_the_blend_wherever_it_stands(report: ScoreReport) -> None:
    blend = Blend(base=SCORE, augmented=replace(SCORE, value=0.5), degradation=np.array([0.1, 0.3]))
    report = replace(report, scores=blend.put_into(report.scores))

    document = written(report, blend=blend)

    figures, blended = document["results"], 0.8 * 0.25 + 0.2 * 0.5
    assert set(figures) == FIGURES
    assert figures["sn34_score"] == document["scores"]["sn34_score"]["value"] == pytest.approx(blended)
    assert figures["base_sn34_score"] == document["scores"]["base_sn34_score"]["value"] == 0.25
    assert (figures["binary_sn34_score"], figures["binary_mcc"]) == (0.25, 0.5)
    assert f"sn34_score {blended:.6f}" in summary(document).splitlines()


def test_figures_of_other_metrics_stand_under_their_own_names(report: ScoreReport) -> None:
    document = written(replace(report, scores={Metric.ACCURACY: SCORE, Metric.MACRO_F1: SCORE}))

    figures = document["results"]
    assert set(figures) == FIGURES | {"macro_f1"}
    assert (figures["accuracy"], figures["macro_f1"], figures["sn34_score"]) == (0.75, 0.25, None)
    assert "sn34_score" not in summary(document)


def test_the_parts_of_the_multiclass_score_have_gasbenchs_names_too(report: ScoreReport) -> None:
    figures = written(replace(report, scores={Metric.SN34_MULTICLASS: replace(SCORE, value=0.75)}))["results"]

    assert set(figures) == FIGURES | {"sn34_multiclass"}
    assert figures["multiclass_sn34_score"] == figures["sn34_multiclass"] == 0.75
    assert (figures["gorodkin_mcc"], figures["multiclass_brier"]) == (0.5, 0.1)
    assert figures["binary_mcc"] is None


def test_groups_and_media_are_counted_apart(document: dict) -> None:
    assert document["per_dataset"]["a"] == {
        "correct": 2,
        "total": 3,
        "accuracy": 2 / 3,
        "predictions": {"real": 2, "synthetic": 1},
    }
    assert document["per_dataset"]["b-holdout-1"]["predictions"] == {"real": 0, "synthetic": 1}
    assert document["accuracy_by_media_type"] == {
        "real": {"correct": 2, "samples": 3, "accuracy": 2 / 3},
        "synthetic": {"correct": 1, "samples": 1, "accuracy": 1.0},
    }
    assert document["dataset_media_types"] == {"a": ["real"], "b-holdout-1": ["synthetic"]}
    assert document["per_source_accuracy"] == {
        "holdout": {"correct": 1, "samples": 1, "accuracy": 1.0},
        "public": {"correct": 2, "samples": 3, "accuracy": 2 / 3},
    }
    assert document["per_class_recall"] == {"0": 2 / 3, "1": 1.0}


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
    assert not any("time" in line for line in lines)
    assert any(line.split() == ["a", "3", "2", "0.666667"] for line in lines)


def test_records_have_every_column_and_no_other(tmp_path) -> None:
    write_records(tmp_path / "records.parquet", RECORDS)

    rows = parquet.read_table(tmp_path / "records.parquet").to_pylist()
    assert set(rows[0]) == COLUMNS
    assert [{name: row[name] for name in asdict(RECORD)} for row in rows] == list(map(asdict, RECORDS))
    assert {row["inference_time_ms"] for row in rows} == {None}


def test_sample_ids_differ_by_group_and_by_file() -> None:
    ids = {sample_id(group=group, file=file) for group in ("a", "b") for file in ("x", "y")}

    assert len(ids) == 4
    assert all(len(name) == 16 for name in ids)
