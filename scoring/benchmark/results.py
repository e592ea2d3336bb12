"""What a run leaves in its folder for people: `results.json` and `summary.txt` (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from statistics import fmean
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scoring.benchmark.blend import BASE, Blend
from scoring.benchmark.outcomes import class_name
from scoring.benchmark.provenance import provenance
from scoring.benchmark.records import Record
from scoring.benchmark.shares import Portion
from scoring.contracts import Metric, ScoreReport, ScoreValue, TrackSpec

FIGURES: Final = (
    "sn34_score",
    BASE,
    "binary_sn34_score",
    "binary_mcc",
    "binary_cross_entropy",
    "binary_brier",
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
)
"""GASBench's names of scores and their parts, every one in every `results.json`."""
TIMES: Final = ("avg_inference_time_ms", "p95_inference_time_ms")


def results(
    report: ScoreReport,
    records: list[Record],
    *,
    track: TrackSpec,
    metadata: Mapping[str, object],
    validation: Mapping[str, object],
    composition: Mapping[str, Portion],
    blend: Blend | None,
    sample_ms: NDArray[np.float64],
) -> dict[str, Any]:
    """Return the document; of two runs of one plan only `metadata`, `metrics` and `TIMES` in `results` differ."""
    base = [record for record in records if not record.aug_pass]
    counted = _totals(base)
    return {
        "metadata": dict(metadata),
        "overall_score": counted["accuracy"],
        "validation": dict(validation),
        "errors": [],
        # Last once more: a track's own accuracy counts with weights.
        "results": counted | _times(sample_ms) | _figures(report.scores, blend) | counted,
        "scores": {str(name): asdict(score) for name, score in report.scores.items()},
        **_counts(base, track),
        "breakdown": None if report.breakdown is None else asdict(report.breakdown),
        "score_composition": {name: asdict(portion) for name, portion in composition.items()},
        "metrics": {"performance": _performance(report)},
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
        "per_source_accuracy": {
            name: _counted(rows, total="samples") for name, rows in _by_provenance(records).items()
        },
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
            if isinstance(value, float) and name not in ("accuracy", *TIMES)
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


def _totals(records: list[Record]) -> dict[str, float]:
    correct = sum(record.correct for record in records)
    return {
        "total_samples": len(records),
        "correct_predictions": correct,
        "accuracy": correct / len(records),
    }


def _times(sample_ms: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(TIMES, (float(np.mean(sample_ms)), float(np.quantile(sample_ms, 0.95))), strict=True))


def _figures(scores: Mapping[str, ScoreValue], blend: Blend | None) -> dict[str, float | None]:
    """Return GASBench's figures, None for those that the run has not, and every metric under its own name."""
    figures: dict[str, float | None] = dict.fromkeys(FIGURES)
    figures |= {str(name): score.value for name, score in scores.items()}
    if Metric.SN34_SCORE in scores:
        base = scores[Metric.SN34_SCORE] if blend is None else blend.base
        figures |= {BASE: base.value, "binary_sn34_score": base.value}
        figures |= {f"binary_{name}": base.details[name] for name in ("mcc", "cross_entropy", "brier")}
    if Metric.SN34_MULTICLASS in scores:
        multiclass = scores[Metric.SN34_MULTICLASS]
        figures["multiclass_sn34_score"] = multiclass.value
        figures["gorodkin_mcc"] = multiclass.details["mcc"]
        figures["multiclass_brier"] = multiclass.details["brier"]
    return figures if blend is None else figures | blend.fields()


def _performance(report: ScoreReport) -> dict[str, object]:
    return {
        "stage_timings_s": dict(report.timings_s),
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


def _by_provenance(records: list[Record]) -> dict[str, list[Record]]:
    return _grouped(records, lambda record: provenance(record.dataset_name).value)


def _counted(rows: list[Record], *, total: str = "total") -> dict[str, float]:
    correct = sum(record.correct for record in rows)
    return {"correct": correct, total: len(rows), "accuracy": correct / len(rows)}


def _predictions(rows: list[Record], track: TrackSpec) -> dict[str, int]:
    """Count how often each class was called, those that never were too."""
    called = Counter(record.predicted for record in rows)
    return {class_name(track, number): called[number] for number in range(len(rows[0].probs))}
