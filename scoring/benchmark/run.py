"""A benchmark run from an entry to its report and results. Trusts the track and the data, never the entry.

The stages are the worker's own; what differs is which samples are scored and that they are predicted
in chunks. Split columns are for the site: here every planned sample counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from scoring.benchmark.blend import Blend
from scoring.benchmark.chunks import cut
from scoring.benchmark.folder import RunFacts, write_results
from scoring.benchmark.identity import identity, run_id
from scoring.benchmark.options import Options, why_unsuitable
from scoring.benchmark.outcomes import chance_of_truth
from scoring.benchmark.passes import Bench, Finished, break_down_pass, run_pass
from scoring.benchmark.plan import SamplePlan, first_of_each_group, make_plan
from scoring.benchmark.shares import weigh
from scoring.contracts import Finding, Metric, ScoreReport, Stage, TrackSpec, TruthKind, Usage, Verdict
from scoring.data.labels import DatasetProblem, read_labels
from scoring.errors import Fault
from scoring.flow import latency, pipeline
from scoring.sandbox.base import Sandbox


@dataclass(frozen=True, kw_only=True)
class Played:
    """Both passes of a run, what they took, and what the latency gate found."""

    base: Finished
    worn: Finished | None
    usage: Usage
    warnings: tuple[Finding, ...]
    predict_s: float


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
    bench = Bench(
        data=data,
        plan=plan,
        examination=examination,
        options=options,
        run=identity(examination, plan, options),
        checkpoint=(options.results_dir or workdir) / "checkpoint",
        cache=cache,
        workdir=workdir,
        tick=lambda: note(Stage.PREDICT),
    )
    played = _play(bench)
    report = _report(bench, played)
    if options.results_dir:
        _write(options.results_dir, bench, played, report, entry=entry.name, began=began)
    return report


def _with_batch_size(track: TrackSpec, options: Options) -> TrackSpec:
    if options.batch_size is None:
        return track
    return replace(track, run_limits=replace(track.run_limits, batch_size=options.batch_size))


def _plan(data: Path, track: TrackSpec, options: Options) -> SamplePlan:
    """Plan the run, or refuse early what the track or the data cannot give a meaning to."""
    if why := why_unsuitable(track, options):
        raise Fault(why)
    try:
        table = read_labels(data)
    except DatasetProblem as exc:
        raise Fault(f"the dataset cannot be used: {exc}") from exc
    if table.truth is not TruthKind.CLASSES:
        raise Fault(f"a benchmark run is scored against classes, but the dataset has {table.truth}")
    plan = make_plan(table, mode=options.mode, reader=track.input.reader, seed=options.seed)
    if options.shares is not None:
        weigh(plan.rows, options.shares)
    return plan


def _play(bench: Bench) -> Played:
    """Run the passes and hold the latency gate."""
    bench.tick()
    started = monotonic()
    try:
        base = run_pass("base", bench, range(len(bench.plan.rows)), bench.options.treatment)
        worn = _run_worn(bench)
        usage, warnings = _time(bench, base)
    except OSError as exc:
        raise Fault(f"{type(exc).__name__} while reading or writing the samples or the results") from exc
    return Played(base=base, worn=worn, usage=usage, warnings=warnings, predict_s=monotonic() - started)


def _run_worn(bench: Bench) -> Finished | None:
    if not bench.options.augmented:
        return None
    positions = first_of_each_group(bench.plan, bench.options.augmented)
    return run_pass("worn", bench, positions, replace(bench.options.treatment, worn=True))


def _time(bench: Bench, base: Finished) -> tuple[Usage, tuple[Finding, ...]]:
    """Hold the track's latency gate on the first samples of the plan."""
    if bench.track.budgets.max_latency_ms is None:
        return bench.examination.report.usage, ()
    rows = base.work.rows[: latency.SAMPLES]
    return pipeline.time_part(
        bench.examination,
        cut(base.work.inputs, rows, bench.workdir / "timed.npy"),
        base.part.predictions[: len(rows)],
        seed=base.work.seed(bench.plan, 0),
    )


def _blend(base: Finished, worn: Finished) -> Blend:
    """Join the two passes; the probability of the truth is compared sample by sample."""
    before = chance_of_truth(base.outcomes, base.labels)[list(worn.positions)]
    return Blend(
        base=base.scores[Metric.SN34_SCORE],
        augmented=worn.scores[Metric.SN34_SCORE],
        degradation=before - chance_of_truth(worn.outcomes, worn.labels),
    )


def _report(bench: Bench, played: Played) -> ScoreReport:
    checked, base, worn = bench.examination.report, played.base, played.worn
    parts = [base.part] if worn is None else [base.part, worn.part]
    cpu_s = sum(part.cpu_s for part in parts) / sum(len(part.predictions) for part in parts)
    return replace(
        checked,
        verdict=Verdict.SCORED,
        usage=replace(played.usage, cpu_s_per_sample=cpu_s),
        warnings=(*checked.warnings, *played.warnings),
        scores=base.scores if worn is None else _blend(base, worn).put_into(base.scores),
        breakdown=break_down_pass(base, bench),
        samples=len(bench.plan.rows),
        timings_s={**checked.timings_s, Stage.PREDICT.value: played.predict_s},
        plan=bench.plan.digest(),
    )


def _write(
    folder: Path, bench: Bench, played: Played, report: ScoreReport, *, entry: str, began: datetime
) -> None:
    base, worn = played.base, played.worn
    worn_digest = None if worn is None else worn.dataset_digest
    facts = RunFacts(
        entry=entry,
        began=began,
        run_id=run_id(bench.run, base=base.dataset_digest, worn=worn_digest),
        plan=bench.plan,
        track=bench.track,
        shares=bench.options.shares,
    )
    blend = None if worn is None else _blend(base, worn)
    write_results(folder, facts, report, base=base, worn=worn, blend=blend)
