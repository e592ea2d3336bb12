"""`podium export`: a package of one format from a package of another, checked before it is written."""

from __future__ import annotations

from pathlib import Path

from scoring import report
from scoring.commands.outcome import Outcome, Printing, run_and_print
from scoring.contracts import Format, TrackSpec
from scoring.export import Exported, export_onnx
from scoring.sandbox.base import Sandbox
from scoring.screen import Screen


def to_onnx(
    path: Path,
    track: TrackSpec,
    *,
    source: Format | None,
    output: Path,
    sandbox: Sandbox,
    printing: Printing,
) -> int:
    """Write the package's model as ONNX and print what the track says of it; return the exit code."""

    def flow(screen: Screen, workdir: Path) -> Outcome:
        exported = export_onnx(path, track, source=source, sandbox=sandbox, workdir=workdir, note=screen.note)
        output.write_bytes(exported.content)
        return _outcome(exported, output)

    return run_and_print(flow, track, printing=printing)


def _outcome(exported: Exported, output: Path) -> Outcome:
    facts = exported.facts
    details = {
        "path": str(output),
        "bytes": len(exported.content),
        "opset": facts.opset,
        "samples": facts.samples,
        "largest_difference": facts.largest_difference,
        "largest_output": facts.largest_output,
    }
    lines = (
        f"{output}: {len(exported.content):,} bytes, opset {facts.opset}",
        f"largest difference from the model on {facts.samples} sample images:"
        f" {facts.largest_difference:.3g} (largest output {facts.largest_output:.3g})",
    )
    return Outcome(
        report=report.accepted_or_scored(exported.report) | {"export": details}, log=facts.log, lines=lines
    )
