"""An entry that is to become something else: unpacked, recognised, checked, and asked for in the sandbox.

Trusts the track; the package and all that comes back from the sandbox are hostile.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scoring.contracts import Format, Package, Stage, Task, TrackSpec, Unpacked
from scoring.errors import reject
from scoring.flow.found import Loadable
from scoring.flow.runs import PROBE_SAMPLES, Note, Tools, make_probe_job, run_job
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.packages import FORMATS
from scoring.packages.onnx.sides import fill_open_sides
from scoring.sandbox.base import Job, Run, Sandbox


def open_source(
    entry: Path, track: TrackSpec, *, source: Format | None, code: str, workdir: Path, note: Note
) -> Loadable:
    """Unpack, recognise and check an entry, also of a format that the track refuses.

    `source` names the format where several match; else the track's own come before others. `code` is
    that of a package without a torch module.
    """
    note(Stage.INTAKE)
    unpacked = unpack(entry, destination=workdir / "source", limits=track.archive_limits)
    package = recognise(unpacked, allowed=_sources(unpacked, track, source), formats=FORMATS)
    if package.format is Format.ONNX:
        raise reject(code, path=package.main, why="it already is an ONNX model")
    note(Stage.INSPECT)
    FORMATS[package.format].check(package, track)
    settled = FORMATS[package.format].settle(package, track)
    contract = fill_open_sides(settled.track.input)
    return Loadable(
        package=package,
        track=replace(settled.track, input=contract, output=settled.track.output.settle(contract)),
        options=settled.options,
    )


def run_task(task: Task, source: Loadable, *, sandbox: Sandbox, workdir: Path, note: Note) -> tuple[Run, Job]:
    """Run a task on the package and the sample pictures that ship with Podium."""
    note(Stage.MEASURE)
    tools = Tools(sandbox=sandbox, workdir=workdir, note=note)
    job = make_probe_job(task, source, tools)
    request = replace(job.request, batch_size=PROBE_SAMPLES)
    job = replace(job, request=request, timeout_s=source.track.run_limits.measure_timeout_s)
    return run_job(job, tools, Stage.MEASURE), job


def _sources(unpacked: Unpacked, track: TrackSpec, source: Format | None) -> tuple[Format, ...]:
    """Return the formats that the package may be of: the one named, else the track's own before others."""
    if source is not None:
        return (source,)
    matching = [name for name, rules in FORMATS.items() if isinstance(rules.match(unpacked), Package)]
    own = [name for name in matching if name in track.formats and name is not Format.ONNX]
    return tuple(own or FORMATS)
