"""`podium export`: a package of one format from a package of another, checked before it is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scoring.cli.ending import Ending, Printing, run_and_print
from scoring.cli.screen import Screen
from scoring.contracts import Fit, Format, TrackSpec
from scoring.conversion.to_byom import ByomExport, export_byom
from scoring.conversion.to_onnx import OnnxExport, export_onnx
from scoring.reports import report
from scoring.sandbox.base import Sandbox


def to_onnx(
    path: Path,
    track: TrackSpec,
    *,
    source: Format | None,
    output: Path,
    sandbox: Sandbox,
    printing: Printing,
) -> int:
    """Write the package's model as ONNX, print the track's verdict and return the exit code."""

    def flow(screen: Screen, workdir: Path) -> Ending:
        exported = export_onnx(path, track, source=source, sandbox=sandbox, workdir=workdir, note=screen.note)
        output.write_bytes(exported.content)
        return _onnx_ending(exported, output)

    return run_and_print(flow, track, printing=printing, more=("export",))


def _onnx_ending(exported: OnnxExport, output: Path) -> Ending:
    facts = exported.facts
    details = {
        "path": str(output),
        "bytes": len(exported.content),
        "opset": facts.opset,
        "batch": exported.batch,
        "samples": facts.samples,
        "largest_difference": facts.largest_difference,
        "largest_output": facts.largest_output,
    }
    batch = "any batch" if exported.batch is None else f"batches of {exported.batch}"
    lines = (
        f"{output}: {len(exported.content):,} bytes, opset {facts.opset}, {batch}",
        f"largest difference from the model on {facts.samples} samples:"
        f" {facts.largest_difference:.3g} (largest output {facts.largest_output:.3g})",
    )
    return Ending(
        report=report.accepted_or_scored(exported.report) | {"export": details}, log=facts.log, lines=lines
    )


def to_byom(
    path: Path,
    track: TrackSpec,
    *,
    source: Format | None,
    output: Path,
    sandbox: Sandbox,
    printing: Printing,
) -> int:
    """Write the package's model as a BYOM package, print the track's verdict and return the exit code."""

    def flow(screen: Screen, workdir: Path) -> Ending:
        exported = export_byom(
            path,
            track,
            name=output.name.split(".")[0],
            source=source,
            sandbox=sandbox,
            workdir=workdir,
            note=screen.note,
        )
        output.write_bytes(exported.content)
        return _byom_ending(exported, output)

    return run_and_print(flow, track, printing=printing, more=("export",))


def _byom_ending(exported: ByomExport, output: Path) -> Ending:
    facts = exported.facts
    details = {
        "path": str(output),
        "bytes": len(exported.content),
        "output_shape": list(facts.output_shape),
        "batch": facts.batch,
        "samples": facts.samples,
        "largest_difference": facts.largest_difference,
        "largest_output": facts.largest_output,
        "numbers": exported.numbers,
        "differing": exported.differing,
        "fit": exported.fit.value,
    }
    return Ending(
        report=report.accepted_or_scored(exported.report) | {"export": details},
        log=facts.log,
        lines=tuple(_sentences(exported, output)),
    )


def _sentences(exported: ByomExport, output: Path) -> Iterator[str]:
    facts = exported.facts
    batch = "any batch" if facts.batch is None else "one picture at a time"
    yield f"{output}: {len(exported.content):,} bytes, TorchScript for {batch}"
    yield (
        f"largest difference from the model on {facts.samples} pictures:"
        f" {facts.largest_difference:.3g} (largest output {facts.largest_output:.3g})"
    )
    yield f"scored numbers that differ from the model's: {exported.differing:,} of {exported.numbers:,}"
    if exported.fit is not Fit.STRETCH:
        yield (
            f"this track fits pictures by {exported.fit}, which a package cannot state; "
            "elsewhere pictures are stretched"
        )
