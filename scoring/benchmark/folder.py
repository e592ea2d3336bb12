"""Writes the folder of results: `results.json`, `records.parquet` and `summary.txt`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scoring.benchmark.blend import Blend
from scoring.benchmark.outcomes import media_type
from scoring.benchmark.passes import Finished
from scoring.benchmark.plan import SamplePlan
from scoring.benchmark.records import Record, sample_id, write_records
from scoring.benchmark.results import results, summary
from scoring.benchmark.shares import Shares, compose
from scoring.cache.atomic import write_bytes_atomically
from scoring.contracts import Reader, ScoreReport, TrackSpec
from scoring.errors import Fault


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What the results say of the run itself."""

    entry: str
    began: datetime
    run_id: str
    plan: SamplePlan
    track: TrackSpec
    shares: Shares | None


def write_results(
    folder: Path,
    facts: RunFacts,
    report: ScoreReport,
    *,
    base: Finished,
    worn: Finished | None,
    blend: Blend | None,
) -> None:
    """Write the three files; each is wholly there or not at all."""
    records = make_records(facts, base) + ([] if worn is None else make_records(facts, worn))
    document = results(
        report,
        records,
        track=facts.track,
        metadata={**_metadata(facts), "dataset_digest": base.dataset_digest},
        validation=_validation(facts),
        composition={} if facts.shares is None else compose(base.rows, facts.shares),
        blend=blend,
        sample_ms=base.part.sample_ms,
    )
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_records(folder / "records.parquet", records)
        write_bytes_atomically(folder / "summary.txt", summary(document).encode())
        # Last, so that whoever finds it finds the others too.
        write_bytes_atomically(folder / "results.json", text.encode())
    except OSError as exc:
        raise Fault(f"the results cannot be written: {exc.strerror}") from exc


def make_records(facts: RunFacts, finished: Finished) -> list[Record]:
    """Return one record a sample of the pass, in the order in which the model met them."""
    plan, track, outcomes = facts.plan, facts.track, finished.outcomes
    height, width = _sides(track)
    batch_size = track.run_limits.batch_size
    weights = [1.0] * len(finished.rows) if finished.weights is None else finished.weights.tolist()
    return [
        Record(
            run_id=facts.run_id,
            mode=plan.mode.value,
            modality=track.input.reader.value,
            target_height=height,
            target_width=width,
            augment_level=finished.treatment.level,
            crop_prob=finished.treatment.crop_probability,
            aug_pass=finished.treatment.worn,
            dataset_name=row.group,
            dataset_path=row.group,
            iteration_index=position,
            media_type=media_type(track, row.label),
            label=row.label,
            predicted=int(outcomes.predicted[index]),
            probs=outcomes.probabilities[index].tolist(),
            correct=bool(outcomes.correct[index]),
            weight=weights[index],
            batch_id=index // batch_size,
            batch_size=batch_size,
            sample_seed=plan.seed + position,
            source_file=row.file,
            sample_id=sample_id(group=row.group, file=row.file),
        )
        for index, (position, row) in enumerate(zip(finished.positions, finished.rows, strict=True))
    ]


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
        # All groups of the folder take part.
        "gasstation_only": False,
        "benchmark_completed": True,
        "duration_seconds": (now - facts.began).total_seconds(),
        "track": facts.track.slug,
        "plan": facts.plan.digest(),
        "seed": facts.plan.seed,
        "holdout_share": None if facts.shares is None else facts.shares.holdout,
        "gasstation_share": None if facts.shares is None else facts.shares.gasstation,
    }


def _validation(facts: RunFacts) -> dict[str, object]:
    contract = facts.track.input
    return {
        "model_path": facts.entry,
        "input_shape": ["batch", *contract.sides()],
        "input_type": contract.dtype.value,
        "output_shape": ["batch", facts.track.output.width],
    }
