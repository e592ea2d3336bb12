"""From a torch package to a BYOM package: captured, traced, packed, checked, and run against its graph.

Trusts the track; the package and all that comes back from the sandbox are hostile.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import Fit, Format, Reader, ScoreReport, Task, TrackSpec
from scoring.conversion.source import capture, open_source, run_task
from scoring.errors import reject
from scoring.files.archiving import pack
from scoring.flow import pipeline
from scoring.flow.found import Loadable
from scoring.flow.runs import PROBE_SAMPLES, Note, Tools
from scoring.packages.byom.writing import MODEL, byom_track, documents
from scoring.readers import READERS
from scoring.sandbox import exchange
from scoring.sandbox.base import Sandbox

CODE: Final = "packaging_failed"
ROUNDING: Final = 1e-3
# Of the numbers that are scored: where two values nearly tie, rounding decides.
MAX_DIFFERING_SHARE: Final = 0.01


@dataclass(frozen=True, kw_only=True)
class ByomExport:
    """A BYOM package that passed `check`, and how many of its scored numbers are not its origin's."""

    content: bytes
    facts: exchange.TraceFacts
    numbers: int
    differing: int
    fit: Fit
    report: ScoreReport


def export_byom(
    entry: Path,
    track: TrackSpec,
    *,
    name: str,
    source: Format | None,
    sandbox: Sandbox,
    workdir: Path,
    note: Note,
) -> ByomExport:
    """Write the entry's torch module as a BYOM package; raises only Rejected and Fault."""
    if track.input.reader is not Reader.IMAGE:
        raise reject(CODE, why=f"this track feeds {track.input.reader}, but BYOM packages only take pictures")
    tools = Tools(sandbox=sandbox, workdir=workdir, note=note)
    origin = open_source(entry, track, source=source, code=CODE, tools=tools)
    graph = capture(origin, code=CODE, tools=tools)
    run, job = run_task(Task.TRACE, origin, tools)
    facts = cast(exchange.TraceFacts, exchange.interpret(run, job))
    packed = _pack(exchange.read_export(run, job), origin, facts, name, workdir)
    report, found = _check(packed, origin, sandbox=sandbox, workdir=workdir / "check", note=note)
    run, job = run_task(Task.PREDICT, graph, tools)
    exchange.interpret(run, job)
    differing = _differing(exchange.read_outputs(run, job), found)
    if differing > MAX_DIFFERING_SHARE * found.size:
        raise reject(CODE, why=f"{differing:,} of its {found.size:,} scored numbers differ from the model's")
    return ByomExport(
        content=packed.read_bytes(),
        facts=facts,
        numbers=found.size,
        differing=differing,
        fit=origin.track.input.fit,
        report=report,
    )


def _pack(model: bytes, origin: Loadable, facts: exchange.TraceFacts, name: str, workdir: Path) -> Path:
    folder = workdir / "byom"
    files = documents(origin.track, origin.options, output_shape=facts.output_shape, name=name)
    for path, content in {**files, MODEL: model}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return pack(folder, workdir / "byom.tar.gz")


def _check(
    packed: Path, origin: Loadable, *, sandbox: Sandbox, workdir: Path, note: Note
) -> tuple[ScoreReport, NDArray[np.float32]]:
    """Check the package as its track would; return the report and what it predicts on the sample pictures."""
    workdir.mkdir()
    track = byom_track(origin.track)
    examination = pipeline.examine(packed, track, sandbox=sandbox, workdir=workdir, note=note)
    inputs = READERS[track.input.reader].probe_inputs(examination.model.track.input, workdir)
    part = pipeline.predict_part(examination, inputs, samples=PROBE_SAMPLES, seed=track.run_limits.seed)
    return examination.report, part.predictions


def _differing(expected: NDArray[np.float32], found: NDArray[np.float32]) -> int:
    tolerance = ROUNDING * max(float(np.abs(expected).max(initial=0.0)), 1.0)
    return int((~np.isclose(expected, found, rtol=ROUNDING, atol=tolerance)).sum())
