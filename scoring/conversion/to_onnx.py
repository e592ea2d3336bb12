"""From a torch package to an ONNX entry: captured, exported and compared in sandboxes, checked like any upload.

Trusts the track; the package and all that comes back from the sandbox are hostile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final, cast

from onnx import ModelProto

from scoring.contracts import Format, InputContract, ScoreReport, Task, TrackSpec
from scoring.conversion.source import capture, open_source, run_task
from scoring.errors import reject
from scoring.flow import pipeline
from scoring.flow.runs import Note, Tools
from scoring.packages.onnx.contract import data_inputs
from scoring.sandbox import exchange
from scoring.sandbox.base import Sandbox

CODE: Final = "export_failed"
SETTINGS_DIFFER: Final = "the package's own settings change the input from what the track states"
REMEDY: Final = "remove them from the package and do the same in forward()"


@dataclass(frozen=True, kw_only=True)
class OnnxExport:
    """An ONNX model that passed `check` on the track, and how near it comes to its origin.

    `batch` None means any.
    """

    content: bytes
    batch: int | None
    facts: exchange.ExportFacts
    report: ScoreReport


def export_onnx(
    entry: Path,
    track: TrackSpec,
    *,
    source: Format | None,
    sandbox: Sandbox,
    workdir: Path,
    note: Note,
) -> OnnxExport:
    """Export the entry's torch module for the track; raises only Rejected and Fault.

    The package may be of any format that holds a torch module, also one that the track refuses;
    `source` names it where several match.
    """
    tools = Tools(sandbox=sandbox, workdir=workdir, note=note)
    origin = open_source(entry, track, source=source, code=CODE, tools=tools)
    differing = ", ".join(_differing(origin.track.input, track.input))
    if differing:
        # The comparison would be made on one input and the score on another.
        raise reject(CODE, why=f"{SETTINGS_DIFFER}: {differing}; {REMEDY}")
    run, job = run_task(Task.EXPORT, capture(origin, code=CODE, tools=tools), tools)
    facts = cast(exchange.ExportFacts, exchange.interpret(run, job))
    content = exchange.read_export(run, job)
    report = _checked(content, track, sandbox, workdir / "check", note)
    return OnnxExport(content=content, batch=_batch_of(content), facts=facts, report=report)


def _differing(found: InputContract, stated: InputContract) -> Iterator[str]:
    """Yield each setting of the package, but for the sides, that gives its model another input."""
    for field in fields(stated):
        theirs, ours = (getattr(contract, field.name) for contract in (found, stated))
        if field.name != "shape" and theirs != ours:
            shown = ["none" if value is None else str(value) for value in (theirs, ours)]
            yield f"{field.name} {' instead of '.join(shown)}"


def _batch_of(checked: bytes) -> int | None:
    """Return the batch that a checked model states; it has exactly one input."""
    (value,) = data_inputs(ModelProto.FromString(checked))
    batch = value.type.tensor_type.shape.dim[0]
    return batch.dim_value if batch.HasField("dim_value") else None


def _checked(content: bytes, track: TrackSpec, sandbox: Sandbox, workdir: Path, note: Note) -> ScoreReport:
    """Check the model as the track would check it; a track without ONNX is asked all the same."""
    workdir.mkdir()
    entry = workdir / "model.onnx"
    entry.write_bytes(content)
    onnx_track = replace(track, formats=(Format.ONNX,))
    return pipeline.check(entry, onnx_track, sandbox=sandbox, workdir=workdir, note=note)
