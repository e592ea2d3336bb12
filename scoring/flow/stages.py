"""The stages of the flow, each a function of what came before. Trusts the track and the data, never the entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from scoring import metrics
from scoring.budget import allowance, enforce, static
from scoring.contracts import (
    TRUTH_BY_OUTPUT,
    Breakdown,
    Finding,
    Package,
    ScoreReport,
    ScoreValue,
    Stage,
    StaticCounts,
    Task,
    TrackSpec,
    Usage,
    Verdict,
)
from scoring.errors import Fault
from scoring.flow import latency
from scoring.flow.runs import Flow, make_job, run_job
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.metrics.breakdown import break_down
from scoring.packages import FORMATS
from scoring.readers import READERS, PreparedData
from scoring.sandbox import exchange
from scoring.sandbox.base import Job, Run

PROBE_SAMPLES = 4
MAX_NAMED_OPS = 20


@dataclass(frozen=True, kw_only=True)
class Examined:
    """An entry that passed every check before hidden data."""

    package: Package
    report: ScoreReport


@dataclass(frozen=True, kw_only=True)
class Computed:
    """Scores of both splits, and what was right on the public one."""

    public: Mapping[str, ScoreValue]
    private: Mapping[str, ScoreValue]
    breakdown: Breakdown | None


def examine(entry: Path, flow: Flow) -> Examined:
    """Do all stages before hidden data."""
    track = flow.track
    with flow.stage(Stage.INTAKE):
        unpacked = unpack(entry, destination=flow.workdir / "package", limits=track.archive_limits)
        package = recognise(unpacked, allowed=track.formats, formats=FORMATS)
    flow.package, flow.warnings = package, package.warnings
    with flow.stage(Stage.INSPECT):
        flow.warnings += FORMATS[package.format].check(package, track)
        settled = FORMATS[package.format].settle(package, track)
        flow.warnings += settled.warnings
        flow.track, flow.options = _settle_output(settled.track), settled.options
        counts = static.count(package, flow.track, stated=settled.counts)
        enforce.enforce_static(counts, package, track.budgets)
    with flow.stage(Stage.MEASURE):
        measured = _measure(package, flow)
    flow.log = measured.log
    flow.usage = usage = _usage(measured, counts, package)
    flow.warnings += (*measured.warnings, *_uncounted(usage))
    with flow.stage(Stage.ENFORCE):
        enforce.enforce(usage, track.budgets)
    report = ScoreReport(
        verdict=Verdict.ACCEPTED,
        format=package.format,
        track=track.slug,
        benchmark=None,
        usage=usage,
        warnings=flow.warnings,
        timings_s=dict(flow.timings_s),
        log=measured.log,
        isolated=flow.sandbox.isolated,
        not_formats=package.not_formats,
        applied=settled.applied,
    )
    return Examined(package=package, report=report)


def _settle_output(track: TrackSpec) -> TrackSpec:
    """Fill in how many numbers a sample's output comes down to, now that the input's sides are known."""
    return replace(track, output=track.output.settle(track.input))


def _measure(package: Package, flow: Flow) -> exchange.MeasureFacts:
    probe = READERS[flow.track.input.reader].probe_inputs(flow.track.input, flow.workdir)
    job = make_job(Task.MEASURE, package, probe, PROBE_SAMPLES, flow)
    return cast(exchange.MeasureFacts, exchange.interpret(run_job(job, flow, Stage.MEASURE), job))


def prepare(data: Path, cache: Path, flow: Flow) -> PreparedData:
    """Bring the data to the settled input contract, or find it brought there."""
    reader = READERS[flow.track.input.reader]
    return reader.prepare(data, contract=flow.track.input, cache=cache, tick=lambda: flow.note(Stage.PREDICT))


def predict(package: Package, prepared: PreparedData, flow: Flow) -> tuple[Job, Run]:
    """Predict all hidden inputs in the sandbox, or raise Rejected."""
    job = make_job(Task.PREDICT, package, prepared.inputs, prepared.samples, flow)
    run = run_job(job, flow, Stage.PREDICT)
    exchange.interpret(run, job)
    return job, run


def enforce_cpu(job: Job, run: Run, flow: Flow) -> float:
    """Bound what counters cannot see by processor time; return it per sample.

    Calibration runs only when a fast machine's allowance is exceeded, right after the run and
    twice, so that a slow or busy machine of ours does not make an entrant look dishonest.
    """
    samples = job.request.samples
    max_macs = flow.track.budgets.max_macs
    if max_macs is not None and allowance.is_suspicious(run.cpu_s, samples=samples, max_macs=max_macs):
        rates = [_calibrate(job, flow) for _ in range(2)]
        allowed_s = allowance.allowed_cpu_s(samples=samples, max_macs=max_macs, macs_per_cpu_s=min(rates))
        enforce.enforce_cpu(run.cpu_s / samples, allowed_s / samples)
    return run.cpu_s / samples


def time_samples(
    job: Job, predictions: NDArray[np.float32], usage: Usage, flow: Flow
) -> tuple[Usage, tuple[Finding, ...]]:
    """Time single samples where the track has a gate; return the usage with it, and the warning beyond it.

    `predictions` are those of the job's inputs.
    """
    max_ms = flow.track.budgets.max_latency_ms
    if max_ms is None:
        return usage, ()
    found, warnings = latency.within(
        max_ms,
        job,
        predictions,
        sandbox=flow.sandbox,
        workdir=flow.workdir,
        tick=lambda: flow.note(Stage.PREDICT),
    )
    return replace(usage, latency_p50_ms=found.p50_ms, latency_p95_ms=found.p95_ms), warnings


def _calibrate(job: Job, flow: Flow) -> float:
    """Return how many MACs a second of processor time does here, on work of our own."""
    calibration = replace(job, request=replace(job.request, task=Task.CALIBRATE))
    run = run_job(calibration, flow, Stage.PREDICT)
    calibrated = cast(exchange.CalibrateFacts, exchange.interpret(run, calibration))
    return calibrated.macs / calibrated.cpu_s


def compute(job: Job, run: Run, prepared: PreparedData, track: TrackSpec) -> Computed:
    """Compare the raw outputs with what is true, outside the sandbox."""
    predictions = exchange.read_outputs(run, job)
    needed = TRUTH_BY_OUTPUT[track.output.kind]
    if prepared.kind is not needed:
        raise Fault(f"the track is scored against {needed}, and the dataset has {prepared.kind}")

    def of_split(rows: NDArray[np.bool_]) -> dict[str, ScoreValue]:
        weights = None if prepared.weights is None else prepared.weights[rows]
        return metrics.score(
            track.metric,
            track.extra_metrics,
            labels=prepared.truth(rows),
            predictions=predictions[rows],
            weights=weights,
            classes=track.output.classes,
            parameters=stated_numbers(job.request.options),
        )

    private = of_split(prepared.private) if prepared.private.any() else {}
    public = of_split(~prepared.private)
    return Computed(
        public=public, private=private, breakdown=_break_down(predictions, prepared, track, public)
    )


def _break_down(
    predictions: NDArray[np.float32],
    prepared: PreparedData,
    track: TrackSpec,
    scores: Mapping[str, ScoreValue],
) -> Breakdown | None:
    """Count on the public split alone: its scores are shown at once, those of the private one may not be."""
    rows = np.flatnonzero(~prepared.private)
    groups = None if prepared.groups is None else [prepared.groups[row] for row in rows]
    return break_down(track.metric, prepared.labels[rows], predictions[rows], groups, scores)


def stated_numbers(options: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers among a package's options; a metric may read one, a threshold for example."""
    return {
        name: float(value)
        for name, value in options.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _usage(measured: exchange.MeasureFacts, counts: StaticCounts, package: Package) -> Usage:
    """Join what the sandbox counted with what was counted outside; the largest number binds."""
    by_counter = {**measured.macs_by_counter, **({} if counts.macs is None else {"static": counts.macs})}
    return Usage(
        parameters=max(measured.parameters, counts.parameters or 0),
        trainable_parameters=measured.trainable_parameters,
        macs=max((macs for macs in by_counter.values() if macs is not None), default=0),
        macs_by_counter=by_counter,
        uncounted_ops=tuple(sorted({*measured.uncounted_ops, *counts.uncounted_ops})),
        package_bytes=package.package_bytes,
    )


def _uncounted(usage: Usage) -> tuple[Finding, ...]:
    if not usage.uncounted_ops:
        return ()
    more = " and others" if len(usage.uncounted_ops) > MAX_NAMED_OPS else ""
    return (
        Finding(code="uncounted_ops", facts={"ops": ", ".join(usage.uncounted_ops[:MAX_NAMED_OPS]) + more}),
    )
