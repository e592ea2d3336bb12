"""A second score in 8 bits: export, quantise, predict again, compare. Trusts the track and the data.

An entry could export another model than the one that predicts, one that loses less in 8 bits. So the
exported graph answers all hidden inputs as well, must answer as the entry did, and is held to the same
budget of MACs. A graph could also keep its work from the quantiser; so nearly all MACs of what comes out
must be of 8-bit factors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.budget import enforce, static
from scoring.budget.onnx.process import share_in_8_bits
from scoring.contracts import (
    EXACT_ARITHMETIC,
    Format,
    Package,
    Quantisation,
    Quantised,
    ScoreValue,
    Stage,
    StaticCounts,
    Task,
    TrackSpec,
)
from scoring.errors import Fault, reject
from scoring.flow import stages
from scoring.flow.agreement import count_off
from scoring.flow.runs import Flow, make_job, run_job
from scoring.packages import FORMATS
from scoring.readers import READERS, PreparedData
from scoring.readers.arrays import write_samples
from scoring.reports.figures import percent
from scoring.sandbox import exchange
from scoring.sandbox.base import Job, Run

MAX_SHARE_OFF: Final = 0.02
"""One answer in fifty may differ: a choice between equals can fall otherwise in another engine."""
MIN_SHARE_IN_8_BITS: Final = 0.9
"""Recurrent cells, 64-bit detours and branches stay as they are; what is left of them is no w8a8."""
COPIES_WHILE_QUANTISED: Final = 5
ROUNDING_POINTS: Final = 1e-9
"""What 0.75 - 0.65 is more than 0.1: a drop of exactly what is allowed is allowed."""


@dataclass(frozen=True, kw_only=True)
class InEightBits:
    """The quantised graph's predictions of all hidden inputs, and how it came about."""

    job: Job
    run: Run
    calibration_samples: int
    share_in_8_bits: float


def export(package: Package, flow: Flow) -> Package | None:
    """Return the entry as an ONNX package; None where the track asks for no second score.

    Samples that ship with Podium are enough for it, so it comes before hidden data.
    """
    if flow.track.quantisation is None or package.format is Format.ONNX:
        return package if flow.track.quantisation else None
    with flow.stage(Stage.ENFORCE, timed_as="export"):
        probe = READERS[flow.track.input.reader].probe_inputs(flow.track.input, flow.workdir)
        job = make_job(Task.EXPORT, package, probe, stages.PROBE_SAMPLES, flow)
        run = run_job(job, flow, Stage.ENFORCE)
        exchange.interpret(run, job)
        graph = _package(exchange.read_export(run, job), flow.workdir / "exported")
        _check_exported(graph, flow)
    return graph


def predict(
    graph: Package | None, job: Job, run: Run, prepared: PreparedData, flow: Flow
) -> InEightBits | None:
    """Quantise the graph and predict all hidden inputs with it; `job` and `run` are the entry's own."""
    quantisation = flow.track.quantisation
    if graph is None or quantisation is None:
        return None
    with flow.stage(Stage.PREDICT, timed_as="quantise"):
        if job.request.format is not Format.ONNX:
            _refuse_another_model(graph, job, run, flow)
        rows = calibration_rows(prepared.private, quantisation.calibration_samples)
        small = _quantise(graph, prepared, rows, flow)
        share = _refuse_mostly_float(small, flow.track, quantisation)
        return _predict(small, prepared, share, len(rows), flow)


def compare(
    in_8_bits: InEightBits | None, scored: stages.Computed, prepared: PreparedData, track: TrackSpec
) -> Quantised | None:
    """Return the second scores; raise `Rejected` where the first lost too much on the public split."""
    quantisation = track.quantisation
    if in_8_bits is None or quantisation is None:
        return None
    computed = stages.compute(in_8_bits.job, in_8_bits.run, prepared, track)
    # Of the public split alone: a refusal shows both scores.
    before, after = scored.public[track.metric], computed.public[track.metric]
    return Quantised(
        precision=quantisation.precision,
        calibration_samples=in_8_bits.calibration_samples,
        share_in_8_bits=in_8_bits.share_in_8_bits,
        drop_points=enforce_drop(before, after, track, quantisation),
        max_drop_points=quantisation.max_drop_points,
        scores=computed.public,
        private_scores=computed.private,
    )


def enforce_drop(
    before: ScoreValue, after: ScoreValue, track: TrackSpec, quantisation: Quantisation
) -> float:
    """Return the drop in points; raise `Rejected` beyond what is allowed, which itself is allowed."""
    drop_points = 100 * (before.value - after.value)
    if drop_points > quantisation.max_drop_points + ROUNDING_POINTS:
        raise reject(
            "quantised_drop_over_budget",
            precision=quantisation.precision,
            metric=track.metric,
            in_float=before.value,
            quantised=after.value,
            found=drop_points,
            allowed=quantisation.max_drop_points,
        )
    return drop_points


def calibration_rows(private: NDArray[np.bool_], wanted: int) -> NDArray[np.intp]:
    """Return up to `wanted` rows of the public split, spread evenly, the same in each run."""
    public = np.flatnonzero(~private)
    if not len(public):
        raise Fault("a track with quantisation needs public samples, and the dataset has none")
    count = min(wanted, len(public))
    return public[np.arange(count) * len(public) // count]


def _package(content: bytes, root: Path) -> Package:
    root.mkdir()
    (root / "model.onnx").write_bytes(content)
    return Package(format=Format.ONNX, root=root, main="model.onnx", package_bytes=len(content))


def _check_exported(graph: Package, flow: Flow) -> None:
    """Look at what came from beside the entry's code as at an upload; its MACs are budgeted as well."""
    FORMATS[Format.ONNX].check(graph, flow.track)
    macs = static.count(graph, flow.track).macs
    # A larger model that answers alike would keep its score in 8 bits.
    enforce.enforce_static(
        StaticCounts(macs=macs), graph, replace(flow.track.budgets, max_package_bytes=None)
    )


def _refuse_another_model(graph: Package, job: Job, run: Run, flow: Flow) -> None:
    """Let the exported graph answer all hidden inputs, and compare: export one model, score another."""
    asked = make_job(Task.PREDICT, graph, job.inputs, job.request.samples, flow)
    answered = run_job(asked, flow, Stage.PREDICT, name="exported")
    exchange.interpret(answered, asked)
    stages.enforce_cpu(asked, answered, flow)
    answers, predictions = exchange.read_outputs(answered, asked), exchange.read_outputs(run, job)
    off = count_off(answers, predictions, job.request.output.kind)
    if off > MAX_SHARE_OFF * len(answers):
        raise reject("export_answers_differ", found=off, total=len(answers))


def _quantise(graph: Package, prepared: PreparedData, rows: NDArray[np.intp], flow: Flow) -> Package:
    samples = np.load(prepared.inputs, mmap_mode="r", allow_pickle=False)
    inputs = write_samples(
        flow.workdir / "calibration.npy",
        flow.track.input,
        (samples[row] for row in rows),
        count=len(rows),
    )
    job = make_job(Task.QUANTISE, graph, inputs, len(rows), flow)
    max_tmp_bytes = job.limits.max_tmp_bytes + COPIES_WHILE_QUANTISED * graph.package_bytes
    job = replace(job, limits=replace(job.limits, max_tmp_bytes=max_tmp_bytes))
    run = run_job(job, flow, Stage.PREDICT)
    exchange.interpret(run, job)
    return _package(exchange.read_export(run, job), flow.workdir / "quantised")


def _refuse_mostly_float(small: Package, track: TrackSpec, quantisation: Quantisation) -> float:
    """Return the share of MACs in 8 bits, as counted outside: the child's word would be worth nothing."""
    FORMATS[Format.ONNX].check(small, track)
    share = share_in_8_bits(small, track)
    if share < MIN_SHARE_IN_8_BITS:
        needed = percent(MIN_SHARE_IN_8_BITS)
        why = f"{percent(share)} of its MACs are of 8-bit factors; at least {needed} are needed"
        raise reject("quantisation_failed", precision=quantisation.precision, why=why)
    return share


def _predict(
    small: Package, prepared: PreparedData, share: float, calibration_samples: int, flow: Flow
) -> InEightBits:
    job = make_job(Task.PREDICT, small, prepared.inputs, prepared.samples, flow)
    options = {**job.request.options, EXACT_ARITHMETIC: True}
    job = replace(job, request=replace(job.request, options=options))
    run = run_job(job, flow, Stage.PREDICT, name="quantised")
    exchange.interpret(run, job)
    return InEightBits(job=job, run=run, calibration_samples=calibration_samples, share_in_8_bits=share)
