"""What a run leaves in its folder for people: `results.json` and `summary.txt` (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from statistics import fmean
from typing import Any

from scoring.benchmark.blend import Blend
from scoring.benchmark.outcomes import class_name
from scoring.benchmark.records import Record
from scoring.benchmark.shares import Portion
from scoring.contracts import Metric, ScoreReport, TrackSpec


def results(
    report: ScoreReport,
    records: list[Record],
    *,
    track: TrackSpec,
    metadata: Mapping[str, object],
    validation: Mapping[str, object],
    composition: Mapping[str, Portion],
    blend: Blend | None,
) -> dict[str, Any]:
    """Return the document; only `metadata` and `metrics` differ between two runs of one plan."""
    base = [record for record in records if not record.aug_pass]
    correct = sum(record.correct for record in base)
    return {
        "metadata": dict(metadata),
        "overall_score": correct / len(base),
        "validation": dict(validation),
        "errors": [],
        "results": {
            **_flat_scores(report),
            **({} if blend is None else blend.fields()),
            "total_samples": len(base),
            "correct_predictions": correct,
            "accuracy": correct / len(base),
        },
        "scores": {str(name): asdict(score) for name, score in report.scores.items()},
        **_counts(base, track),
        "breakdown": None if report.breakdown is None else asdict(report.breakdown),
        "score_composition": {name: asdict(portion) for name, portion in composition.items()},
        "metrics": {"performance": _performance(report, len(records))},
    }


def _counts(records: list[Record], track: TrackSpec) -> dict[str, Any]:
    """Count by group, by medium and by label, each sample once."""
    groups = _grouped(records, lambda record: record.dataset_name)
    labels = _grouped(records, lambda record: str(record.label))
    return {
        "per_dataset": {
            name: {**_counted(rows), "predictions": _predictions(rows, track)}
            for name, rows in groups.items()
        },
        "accuracy_by_media_type": {
            name: _counted(rows, total="samples") for name, rows in _by_media_type(records).items()
        },
        "dataset_media_types": {name: sorted(_by_media_type(rows)) for name, rows in groups.items()},
        "per_class_recall": {name: fmean(record.correct for record in rows) for name, rows in labels.items()},
    }


def summary(document: Mapping[str, Any]) -> str:
    """Return the run in a few lines."""
    facts, figures = document["metadata"], document["results"]
    lines = [
        f"{facts['track']}: {facts['mode']} run of {facts['model_path']}",
        f"plan {facts['plan']}, seed {facts['seed']}",
        f"samples {figures['total_samples']:,}, correct {figures['correct_predictions']:,}, "
        f"accuracy {figures['accuracy']:.6f}",
        *(
            f"{name} {value:.6f}"
            for name, value in figures.items()
            if isinstance(value, float) and name != "accuracy"
        ),
        *(
            f"{name} counts {portion['share']:.6f} of the score with {portion['samples']:,} samples"
            for name, portion in document["score_composition"].items()
        ),
        "",
        *_table("dataset", "total", document["per_dataset"]),
    ]
    if document["accuracy_by_media_type"]:
        lines += ["", *_table("media type", "samples", document["accuracy_by_media_type"])]
    return "\n".join(lines) + "\n"


def _table(title: str, total: str, rows: Mapping[str, Any]) -> Iterable[str]:
    width = max(len(title), *(len(name) for name in rows))
    yield f"{title:<{width}}  {total:>8}  {'correct':>8}  accuracy"
    for name, row in rows.items():
        yield f"{name:<{width}}  {row[total]:>8,}  {row['correct']:>8,}  {row['accuracy']:.6f}"


def _flat_scores(report: ScoreReport) -> dict[str, float]:
    """Return every metric's value under its name, and the parts of both SN34 scores under GASBench's."""
    scores = report.scores
    flat = {str(name): score.value for name, score in scores.items()}
    if Metric.SN34_SCORE in scores:
        parts = scores[Metric.SN34_SCORE].details
        flat |= {f"binary_{name}": parts[name] for name in ("mcc", "cross_entropy", "brier")}
    if Metric.SN34_MULTICLASS in scores:
        parts = scores[Metric.SN34_MULTICLASS].details
        flat["multiclass_sn34_score"] = scores[Metric.SN34_MULTICLASS].value
        flat |= {"gorodkin_mcc": parts["mcc"], "multiclass_brier": parts["brier"]}
    return flat


def _performance(report: ScoreReport, predictions: int) -> dict[str, object]:
    predict_s = report.timings_s["predict"]
    return {
        "stage_timings_s": dict(report.timings_s),
        "avg_inference_time_ms": 1_000 * predict_s / predictions,
        "cpu_s_per_sample": report.usage.cpu_s_per_sample,
        "latency_p50_ms": report.usage.latency_p50_ms,
        "latency_p95_ms": report.usage.latency_p95_ms,
    }


def _grouped(records: list[Record], key: Callable[[Record], str]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = {}
    for record in sorted(records, key=key):
        groups.setdefault(key(record), []).append(record)
    return groups


def _by_media_type(records: list[Record]) -> dict[str, list[Record]]:
    """Group the records of tracks that tell real from synthetic media; others have no such types."""
    return _grouped(
        [record for record in records if record.media_type], lambda record: str(record.media_type)
    )


def _counted(rows: list[Record], *, total: str = "total") -> dict[str, float]:
    correct = sum(record.correct for record in rows)
    return {"correct": correct, total: len(rows), "accuracy": correct / len(rows)}


def _predictions(rows: list[Record], track: TrackSpec) -> dict[str, int]:
    called = _grouped(rows, lambda record: class_name(track, record.predicted))
    return {name: len(members) for name, members in called.items()}
