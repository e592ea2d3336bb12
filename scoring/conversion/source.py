"""An entry that is to become something else: unpacked, recognised, checked, and asked for in the sandbox.

Trusts the track; the package and all that comes back from the sandbox are hostile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from scoring.contracts import Format, Package, Request, Stage, Task, TrackSpec, Unpacked
from scoring.errors import reject
from scoring.flow import stages
from scoring.flow.runs import Note
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.packages import FORMATS
from scoring.packages.onnx.sides import fill_open_sides
from scoring.readers import READERS
from scoring.sandbox.base import Job, Run, Sandbox


@dataclass(frozen=True, kw_only=True)
class Source:
    """A package that passed its format's own checks; every side of the track's input is settled."""

    package: Package
    track: TrackSpec
    options: Mapping[str, object]


def open_source(
    entry: Path, track: TrackSpec, *, source: Format | None, code: str, workdir: Path, note: Note
) -> Source:
    """Unpack, recognise and check an entry, also of a format that the track refuses.

    `source` names the format where several match; else the track's own come before others. `code` is
    that of a package without a torch module.
    """
    note(Stage.INTAKE)
    unpacked = unpack(entry, destination=workdir / "source", limits=track.archive_limits)
    package = recognise(unpacked, allowed=_sources(unpacked, track, source), formats=FORMATS)
    if package.format is Format.ONNX:
        raise reject(code, path=package.main, why="it is an ONNX model already")
    note(Stage.INSPECT)
    FORMATS[package.format].check(package, track)
    settled = FORMATS[package.format].settle(package, track)
    contract = fill_open_sides(settled.track.input)
    return Source(
        package=package,
        track=replace(settled.track, input=contract, output=settled.track.output.settle(contract)),
        options=settled.options,
    )


def run_task(task: Task, source: Source, *, sandbox: Sandbox, workdir: Path, note: Note) -> tuple[Run, Job]:
    """Run a task on the package and the sample pictures that ship with Podium."""
    note(Stage.MEASURE)
    track, package = source.track, source.package
    request = Request(
        task=task,
        format=package.format,
        main=package.main,
        input=track.input,
        output=track.output,
        samples=stages.PROBE_SAMPLES,
        batch_size=stages.PROBE_SAMPLES,
        threads=track.run_limits.threads,
        seed=track.run_limits.seed,
        options=source.options,
    )
    job = Job(
        request=request,
        package=package.root,
        inputs=READERS[track.input.reader].probe_inputs(track.input, workdir),
        timeout_s=track.run_limits.measure_timeout_s,
        limits=track.run_limits,
    )
    return sandbox.run(job, workdir=workdir / f"run-{task}", tick=lambda: note(Stage.MEASURE)), job


def _sources(unpacked: Unpacked, track: TrackSpec, source: Format | None) -> tuple[Format, ...]:
    """Return the formats that the package may be of: the one named, else the track's own before others."""
    if source is not None:
        return (source,)
    matching = [name for name, rules in FORMATS.items() if isinstance(rules.match(unpacked), Package)]
    own = [name for name in matching if name in track.formats and name is not Format.ONNX]
    return tuple(own or FORMATS)
