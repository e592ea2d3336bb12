"""From a torch package to an ONNX entry: exported in the sandbox, compared there, checked like any upload.

Trusts the track; the package and all that comes back from the sandbox are hostile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from scoring import pipeline, stages
from scoring.contracts import (
    Format,
    InputContract,
    Package,
    Request,
    ScoreReport,
    Stage,
    Task,
    TrackSpec,
    Unpacked,
)
from scoring.errors import reject
from scoring.flow import Note
from scoring.intake.archive import unpack
from scoring.intake.recognise import recognise
from scoring.packages import FORMATS
from scoring.packages.onnx_sides import fill_open_sides
from scoring.readers import READERS
from scoring.sandbox import exchange
from scoring.sandbox.base import Job, Sandbox


@dataclass(frozen=True, kw_only=True)
class Exported:
    """An ONNX model that passed `check` on the track, and how near it comes to its origin."""

    content: bytes
    facts: exchange.Exported
    report: ScoreReport


def export_onnx(
    entry: Path,
    track: TrackSpec,
    *,
    source: Format | None,
    sandbox: Sandbox,
    workdir: Path,
    note: Note,
) -> Exported:
    """Export the entry's torch module for the track; raises only Rejected and Fault.

    The package may be of any format that holds a torch module, also one that the track refuses;
    `source` names it where several match.
    """
    note(Stage.INTAKE)
    unpacked = unpack(entry, destination=workdir / "source", limits=track.archive_limits)
    package = recognise(unpacked, allowed=_sources(unpacked, track, source), formats=FORMATS)
    if package.format is Format.ONNX:
        raise reject("export_failed", path=package.main, why="it is an ONNX model already")
    note(Stage.INSPECT)
    FORMATS[package.format].check(package, track)
    settled = FORMATS[package.format].settle(package, track)
    contract = fill_open_sides(settled.track.input)
    if replace(contract, shape=track.input.shape) != track.input:
        # The comparison would be made on one input and the score on another.
        raise reject("export_failed", why="the package's own settings change the input that the track states")
    note(Stage.MEASURE)
    request = _request(package.format, package.main, contract, track, settled.options)
    job = Job(
        request=request,
        package=package.root,
        inputs=READERS[contract.reader].probe_inputs(contract, workdir),
        timeout_s=track.run_limits.measure_timeout_s,
        limits=track.run_limits,
    )
    run = sandbox.run(job, workdir=workdir / "run-export", tick=lambda: note(Stage.MEASURE))
    facts = cast(exchange.Exported, exchange.interpret(run, job))
    content = exchange.read_export(run, job)
    return Exported(
        content=content, facts=facts, report=_checked(content, track, sandbox, workdir / "check", note)
    )


def _sources(unpacked: Unpacked, track: TrackSpec, source: Format | None) -> tuple[Format, ...]:
    """Return the formats that the package may be of: the one named, else the track's own before others."""
    if source is not None:
        return (source,)
    matching = [name for name, rules in FORMATS.items() if isinstance(rules.match(unpacked), Package)]
    own = [name for name in matching if name in track.formats and name is not Format.ONNX]
    return tuple(own or FORMATS)


def _request(
    format_: Format, main: str, contract: InputContract, track: TrackSpec, options: Mapping[str, object]
) -> Request:
    return Request(
        task=Task.EXPORT,
        format=format_,
        main=main,
        input=contract,
        output=track.output.settle(contract),
        samples=stages.PROBE_SAMPLES,
        batch_size=stages.PROBE_SAMPLES,
        threads=track.run_limits.threads,
        seed=track.run_limits.seed,
        options=options,
    )


def _checked(content: bytes, track: TrackSpec, sandbox: Sandbox, workdir: Path, note: Note) -> ScoreReport:
    """Check the model as the track would check it; a track without ONNX is asked all the same."""
    workdir.mkdir()
    entry = workdir / "model.onnx"
    entry.write_bytes(content)
    onnx_track = replace(track, formats=(Format.ONNX,))
    return pipeline.check(entry, onnx_track, sandbox=sandbox, workdir=workdir, note=note)
