"""The planned samples brought to the input, as they are or as treated copies, and predicted in chunks."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring import metrics
from scoring.benchmark.chunks import Pass, Predicted, predict_in_chunks
from scoring.benchmark.options import Options
from scoring.benchmark.outcomes import Outcomes, judge
from scoring.benchmark.plan import SamplePlan
from scoring.benchmark.shares import own_weights, weigh
from scoring.contracts import READER_FACTS, Breakdown, ScoreValue, TrackSpec
from scoring.data.labels import LABELS_FILE, LabelRow
from scoring.flow.pipeline import Examination
from scoring.flow.stages import stated_numbers
from scoring.metrics.breakdown import break_down
from scoring.readers import READERS, PreparedData
from scoring.readers.copies import Treatment, contract_of_copies, write_copy
from scoring.readers.prepared import shuffled
from scoring.readers.undecodable import Failed, Undecodable, UndecodableRows


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all passes of one run share. `run` holds all that the predictions follow from."""

    data: Path
    plan: SamplePlan
    examination: Examination
    options: Options
    run: Mapping[str, object]
    checkpoint: Path
    cache: Path
    workdir: Path
    tick: Callable[[], None]

    @property
    def track(self) -> TrackSpec:
        """Return the track as it is settled for this entry."""
        return self.examination.model.track


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A pass that has an outcome for each of its samples; `positions` are theirs in the plan."""

    work: Pass
    positions: tuple[int, ...]
    rows: tuple[LabelRow, ...]
    treatment: Treatment
    dataset_digest: str
    part: Predicted
    outcomes: Outcomes
    labels: NDArray[np.int64]
    weights: NDArray[np.float64] | None
    scores: Mapping[str, ScoreValue] = field(default_factory=dict)


def run_pass(name: str, bench: Bench, positions: Sequence[int], treatment: Treatment) -> Finished:
    """Prepare, predict and score the samples at these positions of the plan."""
    chosen = tuple(bench.plan.rows[position] for position in positions)
    prepared, places = _prepare(name, bench, positions, treatment)
    chunk_samples = bench.options.whole_chunk(bench.track)
    work = Pass(name=name, inputs=prepared.inputs, rows=places, chunk_samples=chunk_samples)
    part = predict_in_chunks(
        work,
        bench.plan,
        bench.examination,
        checkpoint=bench.checkpoint / name,
        run={**bench.run, "dataset": prepared.digest},
        workdir=bench.workdir,
    )
    labels = np.array([row.label for row in chosen], dtype=np.int64)
    weights = _weights(bench, chosen)
    return Finished(
        work=work,
        positions=tuple(positions),
        rows=chosen,
        treatment=treatment,
        dataset_digest=prepared.digest,
        part=part,
        outcomes=judge(part.predictions, labels, bench.track),
        labels=labels,
        weights=weights,
        scores=_scores(bench, labels, part.predictions, weights),
    )


def break_down_pass(finished: Finished, bench: Bench) -> Breakdown | None:
    """Count where the entry is right and wrong in a pass, in samples without weights."""
    groups = [row.group for row in finished.rows] if bench.plan.grouped else None
    return break_down(
        bench.track.metric,
        finished.labels,
        finished.part.predictions,
        groups,
        finished.scores,
        classes=bench.track.output.classes,
    )


def _prepare(
    name: str, bench: Bench, positions: Sequence[int], treatment: Treatment
) -> tuple[PreparedData, tuple[int, ...]]:
    """Return the samples' arrays, and in the order of `positions` where each lies in them."""
    rows = tuple(bench.plan.rows[position] for position in positions)
    folder, contract, cache = bench.data, bench.track.input, bench.cache
    if treatment.changes_anything:
        # Copies are made again by each run, so their arrays are not kept either.
        folder = bench.workdir / f"copies-{name}"
        rows = _write_copies(folder, bench, positions, treatment)
        contract, cache = contract_of_copies(contract, treatment), folder / "cache"
    table = replace(bench.plan.table(), rows=rows)
    reader = READERS[contract.reader]
    prepared = reader.prepare(folder, contract=contract, cache=cache, tick=bench.tick, table=table)
    place = {row.file: number for number, row in enumerate(shuffled(table, prepared.digest))}
    return prepared, tuple(place[row.file] for row in rows)


def _write_copies(
    folder: Path, bench: Bench, positions: Sequence[int], treatment: Treatment
) -> tuple[LabelRow, ...]:
    folder.mkdir()
    rows, failed = [], []
    for position in positions:
        row = bench.plan.rows[position]
        try:
            copy = write_copy(
                bench.data / row.file,
                folder / f"{position:08}",
                bench.track.input,
                treatment,
                seed=bench.plan.seed + position,
            )
        except Undecodable as exc:
            failed.append(Failed(row=row.number, file=row.file, why=str(exc)))
        else:
            rows.append(replace(row, file=copy.name))
        bench.tick()
    if failed:
        raise UndecodableRows(READER_FACTS[bench.track.input.reader].noun, failed)
    with (folder / LABELS_FILE).open("w", newline="") as stream:
        csv.writer(stream).writerows([("file", "label"), *((row.file, row.label) for row in rows)])
    return tuple(rows)


def _scores(
    bench: Bench,
    labels: NDArray[np.int64],
    predictions: NDArray[np.float32],
    weights: NDArray[np.float64] | None,
) -> dict[str, ScoreValue]:
    # A share of 0 leaves samples out: they count as no copies.
    counted = np.ones(len(labels), dtype=np.bool_) if weights is None else weights > 0
    return metrics.score(
        bench.track.metric,
        bench.track.extra_metrics,
        labels=labels[counted],
        predictions=predictions[counted],
        weights=None if weights is None else weights[counted],
        classes=bench.track.output.classes,
        parameters=stated_numbers(bench.examination.model.options),
    )


def _weights(bench: Bench, rows: tuple[LabelRow, ...]) -> NDArray[np.float64] | None:
    if bench.options.shares is not None:
        return weigh(rows, bench.options.shares)
    return own_weights(rows) if bench.plan.weighted else None
