"""Writes the folder of results: `results.json`, `records.parquet` and `summary.txt`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.benchmark.outcomes import judge
from scoring.benchmark.records import Record, sample_id, write_records
from scoring.benchmark.results import results, summary
from scoring.contracts import Reader, ScoreReport, TrackSpec
from scoring.plan import SamplePlan
from scoring.readers.cache import write_bytes_atomically


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What the results say of the run itself."""

    entry: str
    began: datetime
    run_id: str
    plan: SamplePlan
    track: TrackSpec
    dataset_digest: str


def write_results(
    folder: Path, facts: RunFacts, report: ScoreReport, predictions: NDArray[np.float32]
) -> None:
    """Write the three files; each is wholly there or not at all."""
    records = make_records(facts, predictions)
    document = results(report, records, metadata=_metadata(facts), validation=_validation(facts), more={})
    folder.mkdir(parents=True, exist_ok=True)
    write_records(folder / "records.parquet", records)
    write_bytes_atomically(folder / "summary.txt", summary(document).encode())
    text = json.dumps(document, indent=2, ensure_ascii=False)
    write_bytes_atomically(folder / "results.json", text.encode())


def make_records(facts: RunFacts, predictions: NDArray[np.float32]) -> list[Record]:
    """Return one record a planned sample, in the order in which the model met them."""
    plan, track = facts.plan, facts.track
    labels = np.array([row.label for row in plan.rows], dtype=np.int64)
    outcomes = judge(predictions, labels, track.output.kind)
    height, width = _sides(track)
    batch_size = track.run_limits.batch_size
    return [
        Record(
            run_id=facts.run_id,
            mode=plan.mode.value,
            modality=track.input.reader.value,
            target_height=height,
            target_width=width,
            augment_level=0,
            crop_prob=0.0,
            aug_pass=False,
            dataset_name=row.group,
            iteration_index=index,
            media_type=media_type(track, row.label),
            label=row.label,
            predicted=int(outcomes.predicted[index]),
            probs=outcomes.probabilities[index].tolist(),
            correct=bool(outcomes.correct[index]),
            batch_id=index // batch_size,
            batch_size=batch_size,
            sample_seed=plan.seed + index,
            source_file=row.file,
            sample_id=sample_id(group=row.group, file=row.file),
        )
        for index, row in enumerate(plan.rows)
    ]


def media_type(track: TrackSpec, label: int) -> str | None:
    """Name a label of a track that tells real from synthetic media; other tracks have no such types."""
    return None


def _sides(track: TrackSpec) -> tuple[int | None, int | None]:
    if track.input.reader is Reader.AUDIO:
        return None, None
    *_, height, width = track.input.sides()
    return height, width


def _metadata(facts: RunFacts) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "run_id": facts.run_id,
        "timestamp": now.timestamp(),
        "datetime": now.isoformat(timespec="seconds"),
        "model_path": facts.entry,
        "modality": facts.track.input.reader.value,
        "mode": facts.plan.mode.value,
        "benchmark_completed": True,
        "duration_seconds": (now - facts.began).total_seconds(),
        "track": facts.track.slug,
        "plan": facts.plan.digest(),
        "seed": facts.plan.seed,
        "dataset_digest": facts.dataset_digest,
    }


def _validation(facts: RunFacts) -> dict[str, object]:
    contract = facts.track.input
    return {
        "model_path": facts.entry,
        "input_shape": ["batch", *contract.sides()],
        "input_type": contract.dtype.value,
        "output_shape": ["batch", facts.track.output.width],
    }
