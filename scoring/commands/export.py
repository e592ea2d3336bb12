"""`podium export`: a package of one format from a package of another, checked before it is written."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import typer

from scoring import report
from scoring.contracts import Format, TrackSpec
from scoring.errors import Fault, Rejected
from scoring.export import Exported, export_onnx
from scoring.sandbox.base import Sandbox
from scoring.screen import Screen

EXIT_OK, EXIT_REJECTED, EXIT_FAULT = 0, 1, 3


def to_onnx(
    path: Path,
    track: TrackSpec,
    *,
    source: Format | None,
    output: Path,
    sandbox: Sandbox,
    as_json: bool,
    debug: bool,
) -> int:
    """Write the package's model as ONNX and print what the track says of it; return the exit code."""
    log = ""
    with Screen(quiet=as_json) as screen, tempfile.TemporaryDirectory(prefix="podium-") as folder:
        try:
            exported = export_onnx(
                path, track, source=source, sandbox=sandbox, workdir=Path(folder), note=screen.note
            )
            output.write_bytes(exported.content)
            outcome, code, log = _outcome(exported, output), EXIT_OK, exported.facts.log
        except Rejected as exc:
            outcome, code, log = report.rejected(exc, track=track.slug), EXIT_REJECTED, exc.log
        except Fault as exc:
            outcome, code = report.fault(exc, track=track.slug), EXIT_FAULT
    _print(screen, outcome, log if debug or code else "", as_json=as_json)
    return code


def _outcome(exported: Exported, output: Path) -> dict[str, Any]:
    facts = exported.facts
    return report.accepted_or_scored(exported.report) | {
        "export": {
            "path": str(output),
            "bytes": len(exported.content),
            "opset": facts.opset,
            "samples": facts.samples,
            "largest_difference": facts.largest_difference,
            "largest_output": facts.largest_output,
        }
    }


def _print(screen: Screen, outcome: dict[str, Any], log: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(outcome | ({"log": log} if log else {}), indent=2, ensure_ascii=False))
        return
    if "export" in outcome:
        typer.echo("{path}: {bytes:,} bytes, opset {opset}".format_map(outcome["export"]))
        typer.echo(
            "largest difference from the model on {samples} sample images: {largest_difference:.3g}"
            " (largest output {largest_output:.3g})".format_map(outcome["export"])
        )
    screen.show(outcome)
    screen.show_log(log)
