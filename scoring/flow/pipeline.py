"""The flow from an entry to a report, one line per stage. Trusts the track and the data, never the entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Finding, Package, ScoreReport, Stage, Task, TrackSpec, Usage, Verdict
from scoring.flow import quantised, stages
from scoring.flow.runs import Flow, Note, make_job, run_job
from scoring.sandbox import exchange
from scoring.sandbox.base import Job, Sandbox


def check(entry: Path, track: TrackSpec, *, sandbox: Sandbox, workdir: Path, note: Note) -> ScoreReport:
    """Do all that comes before hidden data; return an accepted report.

    `note(stage)` is called when a stage begins and at least once a second while the sandbox runs;
    what it raises ends the work and passes through. Otherwise raises only Rejected and Fault.
    """
    flow = Flow(track=track, sandbox=sandbox, workdir=workdir, note=note)
    with flow.only_rejected_or_fault():
        examined = stages.examine(entry, flow)
        quantised.export(examined.package, flow)
        return replace(examined.report, timings_s=dict(flow.timings_s))


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
    flow = Flow(track=track, sandbox=sandbox, workdir=workdir, note=note)
    with flow.only_rejected_or_fault():
        examined = stages.examine(entry, flow)
        graph = quantised.export(examined.package, flow)
        with flow.stage(Stage.PREDICT):
            prepared = stages.prepare(data, cache, flow)
            job, run = stages.predict(examined.package, prepared, flow)
            cpu_s_per_sample = stages.enforce_cpu(job, run, flow)
            usage = replace(examined.report.usage, cpu_s_per_sample=cpu_s_per_sample)
            usage, slow = stages.time_samples(job, exchange.read_outputs(run, job), usage, flow)
        in_8_bits = quantised.predict(graph, job, run, prepared, flow)
        with flow.stage(Stage.METRIC):
            computed = stages.compute(job, run, prepared, flow.track)
            second = quantised.compare(in_8_bits, computed, prepared, flow.track)
        return replace(
            examined.report,
            verdict=Verdict.SCORED,
            benchmark=benchmark,
            usage=usage,
            warnings=(*examined.report.warnings, *slow),
            scores=computed.public,
            private_scores=computed.private,
            breakdown=computed.breakdown,
            quantised=second,
            samples=prepared.samples,
            timings_s=dict(flow.timings_s),
        )


def examine(entry: Path, track: TrackSpec, *, sandbox: Sandbox, workdir: Path, note: Note) -> Examination:
    """Do what `check` does, and keep the package for `predict_part`."""
    flow = Flow(track=track, sandbox=sandbox, workdir=workdir, note=note)
    with flow.only_rejected_or_fault():
        return Examination(examined=stages.examine(entry, flow), flow=flow)


def predict_part(examination: Examination, inputs: Path, *, samples: int, seed: int) -> Part:
    """Predict some of the data in a run of its own; the same bits for the same inputs and seed."""
    flow = examination.flow
    with flow.only_rejected_or_fault():
        job = _part_job(examination, inputs, samples=samples, seed=seed)
        run = run_job(job, flow, Stage.PREDICT)
        exchange.interpret(run, job)
        stages.enforce_cpu(job, run, flow)
        return Part(predictions=exchange.read_outputs(run, job), cpu_s=run.cpu_s, wall_s=run.wall_s)


def time_part(
    examination: Examination, inputs: Path, predictions: NDArray[np.float32], *, seed: int
) -> tuple[Usage, tuple[Finding, ...]]:
    """Hold the track's latency gate, if it has one, on inputs and their predictions, as `score` does."""
    flow = examination.flow
    with flow.only_rejected_or_fault():
        job = _part_job(examination, inputs, samples=len(predictions), seed=seed)
        return stages.time_samples(job, predictions, examination.report.usage, flow)


def _part_job(examination: Examination, inputs: Path, *, samples: int, seed: int) -> Job:
    job = make_job(Task.PREDICT, examination.package, inputs, samples, examination.flow)
    return replace(job, request=replace(job.request, seed=seed))


@dataclass(frozen=True, kw_only=True)
class Examination:
    """An entry that passed every check before hidden data, ready to predict."""

    examined: stages.Examined
    flow: Flow

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
