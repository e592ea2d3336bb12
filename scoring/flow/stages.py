"""The stages of the flow, each a function of what came before. Trusts the track and the data, never the entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from scoring import metrics
from scoring.budget import allowance, enforce, static
from scoring.budget.remarks import remarks
from scoring.contracts import (
    FORMAT_FACTS,
    TRUTH_BY_OUTPUT,
    Breakdown,
    Capture,
    Finding,
    Package,
    ScoreValue,
    Settled,
    Stage,
    StaticCounts,
    Task,
    TrackSpec,
    Usage,
)
from scoring.errors import Fault
from scoring.flow import capturing, latency
from scoring.flow.found import Answers, Computed, Loadable, Measurement
from scoring.flow.runs import Tools, make_job, run_job
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.metrics.breakdown import break_down
from scoring.packages import FORMATS
from scoring.readers import READERS, PreparedData
from scoring.sandbox import exchange
from scoring.sandbox.base import Job, Run

MAX_NAMED_OPS = 20


def take_in(entry: Path, track: TrackSpec, tools: Tools) -> Package:
    """Unpack the entry under the track's limits and recognise its format."""
    unpacked = unpack(entry, destination=tools.workdir / "package", limits=track.archive_limits)
    return recognise(unpacked, allowed=track.formats, formats=FORMATS)


def look_at(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Return the warnings of what shows without running anything; raise Rejected with every problem."""
    return FORMATS[package.format].check(package, track)


def settle(package: Package, track: TrackSpec) -> Settled:
    """Fill in what the package may choose, how many numbers a sample's output comes down to, and what follows."""
    settled = FORMATS[package.format].settle(package, track)
    output = settled.track.output.settle(settled.track.input)
    budgets = settled.track.budgets
    if track.quantisation is not None:
        # What is quantised is the graph that predicts.
        budgets = replace(budgets, capture=Capture.REQUIRED)
    return replace(settled, track=replace(settled.track, output=output, budgets=budgets))


def count(package: Package, settled: Settled) -> StaticCounts:
    """Count without running anything; raise Rejected if that already exceeds a budget."""
    counts = static.count(package, settled.track, stated=settled.counts)
    enforce.enforce_static(counts, package, settled.track.budgets)
    return counts


def measure(model: Loadable, counts: StaticCounts, tools: Tools) -> Measurement:
    """Load the model in the sandbox, capture it as a graph if it can be, and count what will run."""
    measured = capturing.measure(model, tools)
    facts, budgets = measured.facts, model.track.budgets
    usage = enforce.bind(_usage(measured, counts, model), budgets)
    return Measurement(
        model=measured.graph.model if measured.graph else model,
        usage=usage,
        warnings=(*facts.warnings, *_uncounted(usage), *remarks(usage, budgets)),
        log=facts.log,
    )


def prepare(data: Path, track: TrackSpec, cache: Path, tools: Tools) -> PreparedData:
    """Bring the data to the settled input contract, or find it brought there."""
    reader = READERS[track.input.reader]
    return reader.prepare(data, contract=track.input, cache=cache, tick=lambda: tools.note(Stage.PREDICT))


def predict(
    model: Loadable,
    inputs: Path,
    samples: int,
    tools: Tools,
    *,
    seed: int | None = None,
    bounded: bool = True,
    again: Sequence[int] = (),
    again_batch: int = 1,
) -> Answers:
    """Predict the inputs in the sandbox, all of them or Rejected; `bounded` holds the processor time.

    Those numbered by `again` are predicted once more, in batches of another size.
    """
    job = make_job(Task.PREDICT, model, inputs, samples, seed=seed)
    job = replace(job, request=replace(job.request, again=tuple(again), again_batch=again_batch))
    run = run_job(job, tools, Stage.PREDICT)
    exchange.interpret(run, job)
    if bounded and not model.captured:
        _enforce_cpu(job, run, model.track.budgets.max_macs, tools)
    rows = exchange.read_outputs(run, job)
    share = samples / job.request.rows
    return Answers(
        predictions=rows[:samples], again=rows[samples:], cpu_s=share * run.cpu_s, wall_s=share * run.wall_s
    )


def _enforce_cpu(job: Job, run: Run, max_macs: int | None, tools: Tools) -> None:
    """Bound what counters cannot see by processor time.

    Calibration runs only when a fast machine's allowance is exceeded, right after the run and
    twice, so that a slow or busy machine of ours does not make an entrant look dishonest.
    """
    samples = job.request.rows
    if max_macs is not None and allowance.is_suspicious(run.cpu_s, samples=samples, max_macs=max_macs):
        rates = [_calibrate(job, tools) for _ in range(2)]
        allowed_s = allowance.allowed_cpu_s(samples=samples, max_macs=max_macs, macs_per_cpu_s=min(rates))
        enforce.enforce_cpu(run.cpu_s / samples, allowed_s / samples)


def _calibrate(job: Job, tools: Tools) -> float:
    """Return how many MACs a second of processor time does here, on work of our own."""
    calibration = replace(job, request=replace(job.request, task=Task.CALIBRATE))
    run = run_job(calibration, tools, Stage.PREDICT)
    calibrated = cast(exchange.CalibrateFacts, exchange.interpret(run, calibration))
    return calibrated.macs / calibrated.cpu_s


def time_samples(
    usage: Usage,
    model: Loadable,
    inputs: Path,
    predictions: NDArray[np.float32],
    tools: Tools,
    *,
    seed: int | None = None,
) -> tuple[Usage, tuple[Finding, ...]]:
    """Time single samples where the track has a gate; return the usage with it, and the warning beyond it.

    `predictions` are those of the inputs, by the same seed.
    """
    max_ms = model.track.budgets.max_latency_ms
    if max_ms is None:
        return usage, ()
    found, warnings = latency.within(
        max_ms,
        make_job(Task.PREDICT, model, inputs, len(predictions), seed=seed),
        predictions,
        sandbox=tools.sandbox,
        workdir=tools.workdir,
        tick=lambda: tools.note(Stage.PREDICT),
    )
    return replace(usage, latency_p50_ms=found.p50_ms, latency_p95_ms=found.p95_ms), warnings


def compute(model: Loadable, answers: Answers, prepared: PreparedData) -> Computed:
    """Compare the raw outputs with what is true, outside the sandbox."""
    track, predictions = model.track, answers.predictions
    needed = TRUTH_BY_OUTPUT[track.output.kind]
    if prepared.kind is not needed:
        raise Fault(f"the track is scored against {needed}, but the dataset has {prepared.kind}")

    def of_split(rows: NDArray[np.bool_]) -> dict[str, ScoreValue]:
        weights = None if prepared.weights is None else prepared.weights[rows]
        return metrics.score(
            track.metric,
            track.extra_metrics,
            labels=prepared.truth(rows),
            predictions=predictions[rows],
            weights=weights,
            classes=track.output.classes,
            parameters=stated_numbers(model.options),
            places=prepared.places[rows],
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
    return break_down(
        track.metric,
        prepared.labels[rows],
        predictions[rows],
        groups,
        scores,
        classes=track.output.classes,
    )


def stated_numbers(options: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers among a package's options; a metric may read one, a threshold for example."""
    return {
        name: float(value)
        for name, value in options.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _usage(measured: capturing.Measured, counts: StaticCounts, model: Loadable) -> Usage:
    """Join what the sandbox counted with what was counted outside; which MACs apply is still to be bound."""
    facts, graph = measured.facts, measured.graph
    by_counter = {**facts.macs_by_counter, **({} if counts.macs is None else {"static": counts.macs})}
    # The graph's operators are those that count where there is one.
    uncounted = facts.uncounted_ops
    if graph is not None:
        by_counter, uncounted = {"graph": graph.counts.macs, **by_counter}, graph.counts.uncounted_ops
    return Usage(
        parameters=max(facts.parameters, counts.parameters or 0, graph.counts.parameters if graph else 0),
        trainable_parameters=facts.trainable_parameters,
        macs=0,
        macs_by_counter=by_counter,
        captured=_captured(measured, model),
        not_captured=measured.why_not,
        uncounted_ops=tuple(sorted({*uncounted, *counts.uncounted_ops})),
        package_bytes=model.package.package_bytes,
    )


def _captured(measured: capturing.Measured, model: Loadable) -> bool | None:
    """Say whether what was counted is a graph that predicts; None where the track wants none."""
    if not FORMAT_FACTS[model.package.format].has_code:
        return True
    return measured.graph is not None if capturing.is_wanted(model) else None


def _uncounted(usage: Usage) -> tuple[Finding, ...]:
    if not usage.uncounted_ops:
        return ()
    more = " and others" if len(usage.uncounted_ops) > MAX_NAMED_OPS else ""
    return (
        Finding(code="uncounted_ops", facts={"ops": ", ".join(usage.uncounted_ops[:MAX_NAMED_OPS]) + more}),
    )
