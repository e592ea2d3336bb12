"""A benchmark run from an entry to its report and results. Trusts the track and the data, never the entry.

The stages are the worker's own; what differs is which samples are scored and that they are predicted
in chunks. Split columns are for the site: here every planned sample counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring import metrics, pipeline
from scoring.benchmark.chunks import Pass, predict_in_chunks, whole_batches
from scoring.benchmark.folder import RunFacts, write_results
from scoring.contracts import OutputKind, Package, ScoreReport, ScoreValue, Stage, TrackSpec, Verdict
from scoring.errors import Fault
from scoring.labels import DatasetProblem, LabelRow, read_labels
from scoring.pipeline import Examination, Part
from scoring.plan import DEFAULT_SEED, Mode, SamplePlan, make_plan
from scoring.readers import READERS, PreparedData
from scoring.readers.prepared import shuffled
from scoring.sandbox.base import Sandbox

CHUNK_SAMPLES: Final = 1_024
BIT_DECIDING: Final = ("torch", "torchvision", "timm", "onnxruntime", "numpy", "opencv-python-headless")
"""Libraries whose version can change the last bits of a prediction or an input."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user chose. Without `results_dir` nothing is kept, and a run cut short begins anew."""

    mode: Mode = Mode.FULL
    seed: int = DEFAULT_SEED
    batch_size: int | None = None
    results_dir: Path | None = None
    chunk_samples: int = CHUNK_SAMPLES


def run(
    entry: Path,
    track: TrackSpec,
    *,
    data: Path,
    options: Options,
    cache: Path,
    sandbox: Sandbox,
    workdir: Path,
    note: Callable[[Stage], None],
) -> ScoreReport:
    """Score the planned samples, write the results if a folder is given, and return the report.

    Raises only Rejected and Fault, apart from what `note` raises. A sample without an outcome makes
    the whole run void: it is rejected, and no score is written.
    """
    began = datetime.now(UTC)
    track = _with_batch_size(track, options)
    plan = _plan(data, track, options)
    examination = pipeline.examine(entry, track, sandbox=sandbox, workdir=workdir, note=note)
    run_facts = _what_decides_the_bits(examination, plan, options)
    kept = options.results_dir or workdir
    timer = _Timer(dict(examination.report.timings_s))

    note(Stage.PREDICT)
    prepared, rows = _prepare(data, plan, examination.track, cache, note)
    work = Pass(name="base", inputs=prepared.inputs, rows=rows, chunk_samples=_chunk_samples(options, track))
    part = predict_in_chunks(
        work,
        plan,
        examination,
        checkpoint=kept / "checkpoint",
        run={**run_facts, "dataset": prepared.digest},
        workdir=workdir,
    )
    timer.lap(Stage.PREDICT)
    note(Stage.METRIC)
    scores = _scores(plan, part.predictions, track)
    timer.lap(Stage.METRIC)

    report = _report(examination, plan, part, scores, timer.timings_s)
    if options.results_dir:
        facts = RunFacts(
            entry=entry.name,
            began=began,
            run_id=_run_id(run_facts, prepared.digest),
            plan=plan,
            track=examination.track,
            dataset_digest=prepared.digest,
        )
        write_results(options.results_dir, facts, report, part.predictions)
    return report


def _with_batch_size(track: TrackSpec, options: Options) -> TrackSpec:
    if options.batch_size is None:
        return track
    return replace(track, run_limits=replace(track.run_limits, batch_size=options.batch_size))


def _plan(data: Path, track: TrackSpec, options: Options) -> SamplePlan:
    if track.output.kind not in (OutputKind.LOGITS, OutputKind.CONFIDENCE):
        raise Fault("a benchmark run needs a track whose labels are classes; score it without a mode")
    try:
        table = read_labels(data)
    except DatasetProblem as exc:
        raise Fault(f"the dataset cannot be used: {exc}") from exc
    return make_plan(table, mode=options.mode, reader=track.input.reader, seed=options.seed)


def _prepare(
    data: Path, plan: SamplePlan, track: TrackSpec, cache: Path, note: Callable[[Stage], None]
) -> tuple[PreparedData, tuple[int, ...]]:
    """Bring the planned samples to the contract; return also where each of them lies."""
    prepared = READERS[track.input.reader].prepare(
        data,
        contract=track.input,
        cache=cache,
        tick=lambda: note(Stage.PREDICT),
        table=plan.table(),
    )
    place = {row.file: number for number, row in enumerate(shuffled(plan.table(), prepared.digest))}
    return prepared, tuple(place[row.file] for row in plan.rows)


def _chunk_samples(options: Options, track: TrackSpec) -> int:
    return whole_batches(options.chunk_samples, batch_size=track.run_limits.batch_size)


def _scores(plan: SamplePlan, predictions: NDArray[np.float32], track: TrackSpec) -> dict[str, ScoreValue]:
    return metrics.score(
        track.metric,
        track.extra_metrics,
        labels=np.array([row.label for row in plan.rows], dtype=np.int64),
        predictions=predictions,
        weights=_weights(plan.rows) if plan.weighted else None,
    )


def _weights(rows: tuple[LabelRow, ...]) -> NDArray[np.float64]:
    return np.array([row.weight for row in rows], dtype=np.float64)


def _report(
    examination: Examination,
    plan: SamplePlan,
    part: Part,
    scores: Mapping[str, ScoreValue],
    timings_s: Mapping[str, float],
) -> ScoreReport:
    usage = replace(examination.report.usage, cpu_s_per_sample=part.cpu_s / len(part.predictions))
    return replace(
        examination.report,
        verdict=Verdict.SCORED,
        usage=usage,
        scores=scores,
        samples=len(plan.rows),
        timings_s=timings_s,
        plan=plan.digest(),
    )


def _what_decides_the_bits(examination: Examination, plan: SamplePlan, options: Options) -> dict[str, object]:
    """Return all that predictions follow from; chunks of runs that differ in it must not be mixed."""
    return {
        "plan": plan.digest(),
        "entry": _package_digest(examination.package),
        "track": examination.track.digest(),
        "chunk_samples": _chunk_samples(options, examination.track),
        "libraries": {name: version(name) for name in BIT_DECIDING},
    }


def _run_id(run_facts: Mapping[str, object], dataset_digest: str) -> str:
    """Name the run after what it computes, so that the same run has the same name."""
    canonical = json.dumps([run_facts, dataset_digest], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _package_digest(package: Package) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in package.root.rglob("*") if path.is_file()):
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(json.dumps([str(path.relative_to(package.root)), content]).encode())
    return "sha256:" + total.hexdigest()


class _Timer:
    def __init__(self, timings_s: dict[str, float]) -> None:
        self.timings_s = timings_s
        self._last = monotonic()

    def lap(self, stage: Stage) -> None:
        now = monotonic()
        self.timings_s[stage.value] = now - self._last
        self._last = now
