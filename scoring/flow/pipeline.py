"""The flow from an entry to a report, one line per stage. Trusts the track and the data, never the entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.budget import enforce
from scoring.contracts import Finding, Package, Quantised, ScoreReport, Stage, TrackSpec, Usage, Verdict
from scoring.flow import capturing, repeats, second_score, stages
from scoring.flow.found import Answers, Computed, InEightBits, Loadable
from scoring.flow.journal import Journal, Known
from scoring.flow.runs import Note, Tools, require_environment
from scoring.readers import PreparedData
from scoring.sandbox.base import Sandbox


@dataclass(frozen=True, kw_only=True)
class Examination:
    """An entry that passed every check before hidden data, ready to predict, and its accepted report.

    `package` is the entry as it came; `model` may be its graph.
    """

    package: Package
    model: Loadable
    report: ScoreReport
    tools: Tools

    def known(self) -> Known:
        """Return what a later rejection tells too."""
        report = self.report
        return Known(
            package=self.package,
            usage=report.usage,
            warnings=report.warnings,
            log=report.log,
            timings_s=report.timings_s,
        )


def check(entry: Path, track: TrackSpec, *, sandbox: Sandbox, workdir: Path, note: Note) -> ScoreReport:
    """Do all that comes before hidden data; return an accepted report.

    `note(stage)` is called when a stage begins and at least once a second while the sandbox runs;
    what it raises ends the work and passes through. Otherwise raises only Rejected and Fault.
    """
    tools = Tools(sandbox=sandbox, workdir=workdir, note=note)
    with Journal(note) as journal:
        examination = _examine(entry, track, tools, journal)
        _export(examination.model, tools, journal)
        return replace(examination.report, timings_s=journal.known.timings_s)


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
    tools = Tools(sandbox=sandbox, workdir=workdir, note=note)
    with Journal(note) as journal:
        examination = _examine(entry, track, tools, journal, predicts=True)
        accepted, model = examination.report, examination.model
        graph = _export(model, tools, journal)
        with journal.stage(Stage.PREDICT):
            prepared = stages.prepare(data, model.track, cache, tools)
            answers = repeats.predict(model, prepared, tools)
            usage = replace(accepted.usage, cpu_s_per_sample=answers.cpu_s / prepared.samples)
            usage, slow = stages.time_samples(usage, model, prepared.inputs, answers.predictions, tools)
        in_8_bits = _predict_in_8_bits(graph, prepared, tools, journal)
        with journal.stage(Stage.METRIC):
            computed = stages.compute(model, answers, prepared)
            second = _second_score(in_8_bits, computed, prepared)
        return replace(
            accepted,
            verdict=Verdict.SCORED,
            benchmark=benchmark,
            usage=usage,
            warnings=(*accepted.warnings, *slow),
            scores=computed.public,
            private_scores=computed.private,
            breakdown=computed.breakdown,
            quantised=second,
            samples=prepared.samples,
            timings_s=journal.known.timings_s,
        )


def examine(entry: Path, track: TrackSpec, *, sandbox: Sandbox, workdir: Path, note: Note) -> Examination:
    """Do what `check` does but for the export, and keep the package for `predict_part`."""
    tools = Tools(sandbox=sandbox, workdir=workdir, note=note)
    with Journal(note) as journal:
        return _examine(entry, track, tools, journal)


def predict_part(examination: Examination, inputs: Path, *, samples: int, seed: int) -> Answers:
    """Predict some of the data in a run of its own; the same bits for the same inputs and seed."""
    with Journal(examination.tools.note, known=examination.known()):
        return stages.predict(examination.model, inputs, samples, examination.tools, seed=seed)


def time_part(
    examination: Examination, inputs: Path, predictions: NDArray[np.float32], *, seed: int
) -> tuple[Usage, tuple[Finding, ...]]:
    """Hold the track's latency gate, if it has one, on inputs and their predictions, as `score` does."""
    model, usage = examination.model, examination.report.usage
    with Journal(examination.tools.note, known=examination.known()):
        return stages.time_samples(usage, model, inputs, predictions, examination.tools, seed=seed)


def _examine(
    entry: Path, track: TrackSpec, tools: Tools, journal: Journal, *, predicts: bool = False
) -> Examination:
    """Do what comes before hidden data, but for the export; each stage says what it found by then.

    `predicts` says that predictions follow. Raises Fault at once where the track's packages are missing.
    """
    require_environment(track)
    with journal.stage(Stage.INTAKE):
        package = stages.take_in(entry, track, tools)
        journal.keep(package=package, warnings=package.warnings)
    with journal.stage(Stage.INSPECT):
        journal.keep(warnings=stages.look_at(package, track))
        settled = stages.settle(package, track)
        journal.keep(warnings=settled.warnings)
        counts = stages.count(package, settled)
    model = Loadable(package=package, track=settled.track, options=settled.options)
    with journal.stage(Stage.MEASURE):
        capturing.expect(model, tools.sandbox, predicts=predicts)
        measured = stages.measure(model, counts, tools)
        journal.keep(usage=measured.usage, warnings=measured.warnings, log=measured.log)
    with journal.stage(Stage.ENFORCE):
        enforce.enforce(measured.usage, settled.track.budgets)
    report = ScoreReport(
        verdict=Verdict.ACCEPTED,
        format=package.format,
        track=track.slug,
        benchmark=None,
        usage=measured.usage,
        warnings=journal.known.warnings,
        timings_s=journal.known.timings_s,
        log=measured.log,
        isolated=tools.sandbox.isolated,
        not_formats=package.not_formats,
        applied=settled.applied,
    )
    return Examination(package=package, model=measured.model, report=report, tools=tools)


def _export(model: Loadable, tools: Tools, journal: Journal) -> Loadable | None:
    """Return the graph that is to be quantised, where the track asks for a second score."""
    if model.track.quantisation is None:
        return None
    with journal.stage(Stage.ENFORCE, timed_as="export"):
        return second_score.export(model, tools)


def _predict_in_8_bits(
    graph: Loadable | None, prepared: PreparedData, tools: Tools, journal: Journal
) -> InEightBits | None:
    """Quantise the graph, if there is one, and let it answer all hidden inputs."""
    if graph is None or graph.track.quantisation is None:
        return None
    with journal.stage(Stage.PREDICT, timed_as="quantise"):
        small = second_score.quantise(graph, graph.track.quantisation, prepared, tools)
        answers = stages.predict(small.model, prepared.inputs, prepared.samples, tools, bounded=False)
    return InEightBits(graph=small, answers=answers)


def _second_score(
    in_8_bits: InEightBits | None, computed: Computed, prepared: PreparedData
) -> Quantised | None:
    if in_8_bits is None:
        return None
    again = stages.compute(in_8_bits.graph.model, in_8_bits.answers, prepared)
    return second_score.compare(in_8_bits.graph, before=computed, after=again)
