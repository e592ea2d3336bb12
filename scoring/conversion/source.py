"""An entry that is to become something else: unpacked, recognised, checked, and captured as a graph.

Trusts the track; the package and all that comes back from the sandbox are hostile.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scoring.contracts import Capture, Format, Package, Stage, Task, TrackSpec, Unpacked
from scoring.errors import Rejected, reject
from scoring.flow import capturing
from scoring.flow.found import Loadable
from scoring.flow.runs import Tools, make_probe_job, run_job
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.packages import FORMATS
from scoring.packages.onnx.sides import fill_open_sides
from scoring.sandbox.base import Job, Run


def open_source(entry: Path, track: TrackSpec, *, source: Format | None, code: str, tools: Tools) -> Loadable:
    """Unpack, recognise and check an entry, also of a format that the track refuses.

    `source` names the format where several match; else the track's own come before others. `code` is
    that of a package that is a graph already.
    """
    tools.note(Stage.INTAKE)
    unpacked = unpack(entry, destination=tools.workdir / "source", limits=track.archive_limits)
    package = recognise(unpacked, allowed=_sources(unpacked, track, source), formats=FORMATS)
    if package.format is Format.ONNX:
        raise reject(code, path=package.main, why="it already is an ONNX model")
    tools.note(Stage.INSPECT)
    FORMATS[package.format].check(package, track)
    settled = FORMATS[package.format].settle(package, track)
    contract = fill_open_sides(settled.track.input)
    output = settled.track.output.settle(contract)
    return Loadable(
        package=package,
        track=replace(settled.track, input=contract, output=output),
        options=settled.options,
    )


def capture(origin: Loadable, *, code: str, tools: Tools) -> Loadable:
    """Return the graph that would predict in the entry's place; raise `Rejected` with `code` if there is none."""
    tools.note(Stage.MEASURE)
    measured = capturing.measure(replace(origin, track=_wanting_graphs(origin.track)), tools)
    if measured.graph is None:
        refused = reject(code, why=measured.why_not)
        raise Rejected(*refused.findings, log=measured.facts.log)
    return measured.graph.model


def run_task(task: Task, model: Loadable, tools: Tools) -> tuple[Run, Job]:
    """Run a task on a package and the samples that ship with Podium."""
    job = make_probe_job(task, model, tools)
    return run_job(job, tools, Stage.MEASURE), job


def _wanting_graphs(track: TrackSpec) -> TrackSpec:
    """Return the track as one that captures entries: those that take one batch only, for a batch of one."""
    return replace(
        track,
        budgets=replace(track.budgets, capture=Capture.REQUIRED),
        run_limits=replace(track.run_limits, batch_size=1),
    )


def _sources(unpacked: Unpacked, track: TrackSpec, source: Format | None) -> tuple[Format, ...]:
    """Return the formats that the package may be of: the one named, else the track's own before others."""
    if source is not None:
        return (source,)
    matching = [name for name, rules in FORMATS.items() if isinstance(rules.match(unpacked), Package)]
    own = [name for name in matching if name in track.formats and name is not Format.ONNX]
    return tuple(own or FORMATS)
