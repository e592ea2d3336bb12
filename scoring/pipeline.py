"""The flow from an entry to a report, one line per stage. Trusts the track and the data, never the entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import cast

import numpy as np
from numpy.typing import NDArray

from scoring import latency, metrics
from scoring.budget import allowance, enforce, static
from scoring.contracts import (
    TRUTH_BY_OUTPUT,
    Breakdown,
    Finding,
    Package,
    Request,
    ScoreReport,
    ScoreValue,
    Stage,
    StaticCounts,
    Task,
    TrackSpec,
    Usage,
    Verdict,
)
from scoring.errors import Fault, Rejected
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.metrics.breakdown import break_down
from scoring.packages import FORMATS
from scoring.readers import READERS, PreparedData
from scoring.sandbox import exchange
from scoring.sandbox.base import Job, Run, Sandbox

PROBE_SAMPLES = 4
MAX_NAMED_OPS = 20

Note = Callable[[Stage], None]


def check(entry: Path, track: TrackSpec, *, sandbox: Sandbox, workdir: Path, note: Note) -> ScoreReport:
    """Do all that comes before hidden data; return an accepted report.

    `note(stage)` is called when a stage begins and at least once a second while the sandbox runs;
    what it raises ends the work and passes through. Otherwise raises only Rejected and Fault.
    """
    flow = _Flow(track=track, sandbox=sandbox, workdir=workdir, note=note)
    with flow.only_rejected_or_fault():
        return _examine(entry, flow).report


def score(
    entry: Path,
    track: TrackSpec,
    *,
    data: Path,
    benchmark: str | None,
    cache: Path,
    sandbox: Sandbox,
    workdir: Path,
    note: Note,
) -> ScoreReport:
    """Do the whole flow on labelled data (a folder with labels.csv); return a scored report.

    Arrays are built in `cache` once per dataset and input contract. `note` and errors as in `check`.
    """
    flow = _Flow(track=track, sandbox=sandbox, workdir=workdir, note=note)
    with flow.only_rejected_or_fault():
        examined = _examine(entry, flow)
        with flow.stage(Stage.PREDICT):
            prepared = _prepare(data, cache, flow)
            job, run = _predict(examined.package, prepared, flow)
            cpu_s_per_sample = _enforce_cpu(job, run, flow)
            usage = replace(examined.report.usage, cpu_s_per_sample=cpu_s_per_sample)
            usage, slow = _time(job, run, usage, flow)
        with flow.stage(Stage.METRIC):
            computed = _compute(job, run, prepared, flow.track)
        return replace(
            examined.report,
            verdict=Verdict.SCORED,
            benchmark=benchmark,
            usage=usage,
            warnings=(*examined.report.warnings, *slow),
            scores=computed.public,
            private_scores=computed.private,
            breakdown=computed.breakdown,
            samples=prepared.samples,
            timings_s=dict(flow.timings_s),
        )


def examine(entry: Path, track: TrackSpec, *, sandbox: Sandbox, workdir: Path, note: Note) -> Examination:
    """Do what `check` does, and keep the package for `predict_part`."""
    flow = _Flow(track=track, sandbox=sandbox, workdir=workdir, note=note)
    with flow.only_rejected_or_fault():
        return Examination(examined=_examine(entry, flow), flow=flow)


def predict_part(examination: Examination, inputs: Path, *, samples: int, seed: int) -> Part:
    """Predict some of the data in a run of its own; the same bits for the same inputs and seed."""
    flow, package = examination.flow, examination.package
    with flow.only_rejected_or_fault():
        job = _job(Task.PREDICT, package, inputs, samples, flow)
        job = replace(job, request=replace(job.request, seed=seed))
        run = _run(job, flow, Stage.PREDICT)
        exchange.interpret(run, job)
        _enforce_cpu(job, run, flow)
        return Part(predictions=exchange.read_outputs(run, job), cpu_s=run.cpu_s, wall_s=run.wall_s)


# --- the stages --------------------------------------------------------------------------------


def _examine(entry: Path, flow: _Flow) -> _Examined:
    track = flow.track
    with flow.stage(Stage.INTAKE):
        unpacked = unpack(entry, destination=flow.workdir / "package", limits=track.archive_limits)
        package = recognise(unpacked, allowed=track.formats, formats=FORMATS)
    with flow.stage(Stage.INSPECT):
        warnings = FORMATS[package.format].check(package, track)
        settled = FORMATS[package.format].settle(package, track)
        flow.track, flow.options = _settle_output(settled.track), settled.options
        counts = static.count(package, flow.track, stated=settled.counts)
        enforce.enforce_static(counts, package, track.budgets)
    with flow.stage(Stage.MEASURE):
        measured = _measure(package, flow)
    flow.log = measured.log
    flow.usage = usage = _usage(measured, counts, package)
    with flow.stage(Stage.ENFORCE):
        enforce.enforce(usage, track.budgets)
    report = ScoreReport(
        verdict=Verdict.ACCEPTED,
        format=package.format,
        track=track.slug,
        benchmark=None,
        usage=usage,
        warnings=(
            *package.warnings,
            *warnings,
            *settled.warnings,
            *measured.warnings,
            *_uncounted(usage),
        ),
        timings_s=dict(flow.timings_s),
        log=measured.log,
        isolated=flow.sandbox.isolated,
        not_formats=package.not_formats,
    )
    return _Examined(package=package, report=report)


def _settle_output(track: TrackSpec) -> TrackSpec:
    """Fill in how many numbers a sample's output comes down to, now that the input's sides are known."""
    return replace(track, output=track.output.settle(track.input))


def _measure(package: Package, flow: _Flow) -> exchange.Measured:
    probe = READERS[flow.track.input.reader].probe_inputs(flow.track.input, flow.workdir)
    job = _job(Task.MEASURE, package, probe, PROBE_SAMPLES, flow)
    return cast(exchange.Measured, exchange.interpret(_run(job, flow, Stage.MEASURE), job))


def _prepare(data: Path, cache: Path, flow: _Flow) -> PreparedData:
    reader = READERS[flow.track.input.reader]
    return reader.prepare(data, contract=flow.track.input, cache=cache, tick=lambda: flow.note(Stage.PREDICT))


def _predict(package: Package, prepared: PreparedData, flow: _Flow) -> tuple[Job, Run]:
    job = _job(Task.PREDICT, package, prepared.inputs, prepared.samples, flow)
    run = _run(job, flow, Stage.PREDICT)
    exchange.interpret(run, job)
    return job, run


def _enforce_cpu(job: Job, run: Run, flow: _Flow) -> float:
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


def _time(job: Job, run: Run, usage: Usage, flow: _Flow) -> tuple[Usage, tuple[Finding, ...]]:
    """Time single samples where the track has a gate; return the usage with it, and the warning beyond it."""
    max_ms = flow.track.budgets.max_latency_ms
    if max_ms is None:
        return usage, ()
    found, warnings = latency.within(
        max_ms,
        job,
        exchange.read_outputs(run, job),
        sandbox=flow.sandbox,
        workdir=flow.workdir,
        tick=lambda: flow.note(Stage.PREDICT),
    )
    return replace(usage, latency_p50_ms=found.p50_ms, latency_p95_ms=found.p95_ms), warnings


def _calibrate(job: Job, flow: _Flow) -> float:
    """Return how many MACs a second of processor time does here, on work of our own."""
    calibration = replace(job, request=replace(job.request, task=Task.CALIBRATE))
    run = _run(calibration, flow, Stage.PREDICT)
    calibrated = cast(exchange.Calibrated, exchange.interpret(run, calibration))
    return calibrated.macs / calibrated.cpu_s


def _compute(job: Job, run: Run, prepared: PreparedData, track: TrackSpec) -> _Computed:
    predictions = exchange.read_outputs(run, job)
    needed = TRUTH_BY_OUTPUT[track.output.kind]
    if prepared.kind is not needed:
        raise Fault(f"the track is scored against {needed}, and the dataset has {prepared.kind}")

    def compute(rows: NDArray[np.bool_]) -> dict[str, ScoreValue]:
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

    private = compute(prepared.private) if prepared.private.any() else {}
    public = compute(~prepared.private)
    return _Computed(
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
    definition = metrics.METRICS[track.metric]
    return break_down(definition, prepared.labels[rows], predictions[rows], groups, scores)


def stated_numbers(options: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers among a package's options; a metric may read one, a threshold for example."""
    return {
        name: float(value)
        for name, value in options.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


# --- what the stages share ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Computed:
    public: Mapping[str, ScoreValue]
    private: Mapping[str, ScoreValue]
    breakdown: Breakdown | None


@dataclass(frozen=True, kw_only=True)
class _Examined:
    package: Package
    report: ScoreReport


@dataclass(frozen=True, kw_only=True)
class Examination:
    """An entry that passed every check before hidden data, ready to predict."""

    examined: _Examined
    flow: _Flow

    @property
    def package(self) -> Package:
        """Return the package as it was recognised."""
        return self.examined.package

    @property
    def report(self) -> ScoreReport:
        """Return the accepted report."""
        return self.examined.report

    @property
    def track(self) -> TrackSpec:
        """Return the track with every side settled."""
        return self.flow.track


@dataclass(frozen=True, kw_only=True)
class Part:
    """The predictions of one run, shape (samples, width), and what they took."""

    predictions: NDArray[np.float32]
    cpu_s: float
    wall_s: float


@dataclass(kw_only=True)
class _Flow:
    """What travels through the stages: the track, the ports, and what a rejection shows too."""

    track: TrackSpec
    sandbox: Sandbox
    workdir: Path
    note: Note
    timings_s: dict[str, float] = field(default_factory=dict)
    log: str = ""
    usage: Usage | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        self.note(stage)
        started = monotonic()
        yield
        self.timings_s[stage.value] = monotonic() - started

    @contextmanager
    def only_rejected_or_fault(self) -> Iterator[None]:
        """Give rejections what was measured by then, and turn trouble with our own disk into a fault."""
        try:
            yield
        except Rejected as exc:
            raise Rejected(
                *exc.findings, log=exc.log or self.log, timings_s=self.timings_s, usage=self.usage
            ) from exc
        except (OSError, MemoryError) as exc:
            raise Fault(f"{type(exc).__name__} on our side") from exc


def _job(task: Task, package: Package, inputs: Path, samples: int, flow: _Flow) -> Job:
    limits = flow.track.run_limits
    request = Request(
        task=task,
        format=package.format,
        main=package.main,
        input=flow.track.input,
        output=flow.track.output,
        samples=samples,
        batch_size=limits.batch_size,
        threads=limits.threads,
        seed=limits.seed,
        options=flow.options,
    )
    timeout_s = limits.measure_timeout_s if task is Task.MEASURE else limits.predict_timeout_s
    return Job(request=request, package=package.root, inputs=inputs, timeout_s=timeout_s, limits=limits)


def _run(job: Job, flow: _Flow, stage: Stage) -> Run:
    folder = flow.workdir / f"run-{job.request.task}"
    folder.mkdir(exist_ok=True)
    return flow.sandbox.run(job, workdir=folder, tick=lambda: flow.note(stage))


def _usage(measured: exchange.Measured, counts: StaticCounts, package: Package) -> Usage:
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
