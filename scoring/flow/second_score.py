"""A second score in fewer bits: export the graph, quantise it, predict again, compare. Trusts the track and the data.

What is exported is the graph that predicts, in a sandbox without the entry's code, so it can be no other
model. But a graph could keep its work from the quantiser; so nearly all MACs of what comes out must be of
factors in those bits.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.budget import enforce, static
from scoring.budget.onnx.process import share_in_bits
from scoring.contracts import (
    EXACT_ARITHMETIC,
    PRECISION,
    SENSITIVE_PERCENT,
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
from scoring.flow.found import Computed, Loadable, QuantisedGraph
from scoring.flow.runs import Tools, make_job, make_probe_job, run_job
from scoring.packages import FORMATS
from scoring.readers import PreparedData
from scoring.readers.arrays import write_samples
from scoring.reports.figures import percent
from scoring.sandbox import exchange

MIN_SHARE_IN_BITS: Final = 0.9
"""Recurrent cells, 64-bit detours and branches are not quantised; a model mostly of these is not w8a8 or w8a16."""
COPIES_WHILE_QUANTISED: Final = 5
ROUNDING_POINTS: Final = 1e-9
"""How much 0.75 - 0.65 exceeds 0.1: a drop of exactly the limit is allowed."""


def export(graph: Loadable, tools: Tools) -> Loadable:
    """Return the graph as an ONNX package; an ONNX entry is one already.

    Samples that ship with Podium are enough for it, so it comes before hidden data.
    """
    if graph.package.format is Format.ONNX:
        return graph
    job = make_probe_job(Task.EXPORT, graph, tools)
    run = run_job(job, tools, Stage.ENFORCE)
    exchange.interpret(run, job)
    package = _package(exchange.read_export(run, job), tools.workdir / "exported")
    _check_exported(package, graph.track)
    return replace(graph, package=package, captured=False)


def quantise(
    graph: Loadable, quantisation: Quantisation, prepared: PreparedData, tools: Tools
) -> QuantisedGraph:
    """Quantise an ONNX graph on public samples; what stays in float is counted outside."""
    rows = calibration_rows(prepared.private, quantisation.calibration_samples)
    asked = {PRECISION: quantisation.precision, SENSITIVE_PERCENT: quantisation.sensitive_percent}
    package = _quantise(replace(graph, options={**graph.options, **asked}), prepared, rows, tools)
    options = {**graph.options, EXACT_ARITHMETIC: True}
    return QuantisedGraph(
        model=Loadable(package=package, track=graph.track, options=options),
        quantisation=quantisation,
        calibration_samples=len(rows),
        share_in_8_bits=_refuse_mostly_float(package, graph.track, quantisation),
    )


def compare(graph: QuantisedGraph, *, before: Computed, after: Computed) -> Quantised:
    """Return the second scores; raise `Rejected` where the first lost too much on the public split."""
    quantisation, track = graph.quantisation, graph.model.track
    # Of the public split alone: a refusal shows both scores.
    lost = enforce_drop(before.public[track.metric], after.public[track.metric], track, quantisation)
    return Quantised(
        precision=quantisation.precision,
        calibration_samples=graph.calibration_samples,
        share_in_8_bits=graph.share_in_8_bits,
        drop_points=lost,
        max_drop_points=quantisation.max_drop_points,
        scores=after.public,
        private_scores=after.private,
    )


def enforce_drop(
    before: ScoreValue, after: ScoreValue, track: TrackSpec, quantisation: Quantisation
) -> float:
    """Return the drop in points; raise `Rejected` if it exceeds the limit."""
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
        raise Fault("a track with quantisation needs public samples, but the dataset has none")
    count = min(wanted, len(public))
    return public[np.arange(count) * len(public) // count]


def _package(content: bytes, root: Path) -> Package:
    root.mkdir()
    (root / "model.onnx").write_bytes(content)
    return Package(format=Format.ONNX, root=root, main="model.onnx", package_bytes=len(content))


def _check_exported(graph: Package, track: TrackSpec) -> None:
    """Look at what a sandbox wrote as at an upload; its MACs are budgeted as well."""
    FORMATS[Format.ONNX].check(graph, track)
    macs = static.count(graph, track).macs
    budgets = replace(track.budgets, max_parameters=None, max_package_bytes=None)
    enforce.enforce_static(StaticCounts(macs=macs), graph, budgets)


def _quantise(graph: Loadable, prepared: PreparedData, rows: NDArray[np.intp], tools: Tools) -> Package:
    samples = np.load(prepared.inputs, mmap_mode="r", allow_pickle=False)
    inputs = write_samples(
        tools.workdir / "calibration.npy",
        graph.track.input,
        (samples[row] for row in rows),
        count=len(rows),
    )
    job = make_job(Task.QUANTISE, graph, inputs, len(rows))
    max_tmp_bytes = job.limits.max_tmp_bytes + COPIES_WHILE_QUANTISED * graph.package.package_bytes
    job = replace(job, limits=replace(job.limits, max_tmp_bytes=max_tmp_bytes))
    run = run_job(job, tools, Stage.PREDICT)
    exchange.interpret(run, job)
    return _package(exchange.read_export(run, job), tools.workdir / "quantised")


def _refuse_mostly_float(small: Package, track: TrackSpec, quantisation: Quantisation) -> float:
    """Return the share of MACs in the precision's bits, as counted outside: the child's word would be worth nothing."""
    FORMATS[Format.ONNX].check(small, track)
    bits = quantisation.precision.bits
    share = share_in_bits(small, track, bits)
    if share < MIN_SHARE_IN_BITS:
        needed = percent(MIN_SHARE_IN_BITS)
        why = f"only {percent(share)} of its MACs are in {bits} bits; at least {needed} is needed"
        raise reject("quantisation_failed", precision=quantisation.precision, why=why)
    return share
