"""`podium compile`: the entry's model compiled, each target reported on its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from scoring.cli.ending import EXIT_FAULT, EXIT_OK, EXIT_REJECTED, Printing
from scoring.cli.screen import Screen
from scoring.contracts import Format, TrackSpec
from scoring.conversion.compilation import Compiled, compile_entry
from scoring.errors import Fault, Rejected
from scoring.files.workdirs import own_root, workdir
from scoring.reports import report
from scoring.sandbox.base import Sandbox


@dataclass(frozen=True, kw_only=True)
class _Result:
    """What came of one target."""

    exit_code: int
    told: dict[str, Any]
    log: str = ""


def compile_for_targets(
    path: Path,
    track: TrackSpec,
    *,
    targets: tuple[str, ...],
    source: Format | None,
    output: Path | None,
    sandbox: Sandbox,
    printing: Printing,
) -> int:
    """Compile for each target, write the results, print the reports and return the gravest exit code."""
    results = []
    with Screen(quiet=printing.as_json) as screen:
        for target in dict.fromkeys(targets):
            place = output or Path(f"{_stem(path)}.{target}.onnx")
            results.append(
                _compile(
                    path, track, target=target, source=source, output=place, sandbox=sandbox, screen=screen
                )
            )
    shown = [each.told | ({"log": each.log} if _wants_log(each, printing) else {}) for each in results]
    if printing.as_json:
        typer.echo(json.dumps({"track": track.slug, "targets": shown}, indent=2, ensure_ascii=False))
    else:
        _print(shown, screen)
    return max(each.exit_code for each in results)


def _compile(
    path: Path,
    track: TrackSpec,
    *,
    target: str,
    source: Format | None,
    output: Path,
    sandbox: Sandbox,
    screen: Screen,
) -> _Result:
    try:
        with workdir(own_root()) as folder:
            compiled = compile_entry(
                path,
                track,
                target=target,
                source=source,
                sandbox=sandbox,
                workdir=folder,
                note=screen.note,
            )
    except Rejected as exc:
        told = {"target": target, **report.rejected(exc, track=track.slug)}
        return _Result(exit_code=EXIT_REJECTED, told=told, log=exc.log)
    except Fault as exc:
        return _Result(exit_code=EXIT_FAULT, told={"target": target, **report.fault(exc, track=track.slug)})
    output.write_bytes(compiled.content)
    told = {"target": target, **_facts(compiled), "path": str(output), "isolated": sandbox.isolated}
    return _Result(exit_code=EXIT_OK, told=told, log=compiled.facts.log)


def _facts(compiled: Compiled) -> dict[str, Any]:
    facts = compiled.facts
    relative = facts.largest_difference / facts.largest_output if facts.largest_output else 0.0
    return {
        "verdict": "compiled",
        "format": compiled.format.value,
        "opset": facts.opset,
        "batch": facts.batch,
        "model_bytes": compiled.model_bytes,
        "graph_bytes": facts.graph_bytes,
        "compiled_bytes": len(compiled.content),
        "samples": facts.samples,
        "largest_difference": facts.largest_difference,
        "largest_output": facts.largest_output,
        "relative_difference": relative,
        "numbers": facts.numbers,
        "differing": facts.differing,
        "torch_ms": facts.torch_ms,
        "compiled_ms": facts.compiled_ms,
    }


def _wants_log(result: _Result, printing: Printing) -> bool:
    return bool(result.log) and (printing.with_log or result.exit_code != EXIT_OK)


def _print(shown: list[dict[str, Any]], screen: Screen) -> None:
    for told in shown:
        if told["verdict"] == "compiled":
            typer.echo(_sentences(told))
        else:
            typer.echo(f"{told['target']}:")
            screen.show(told)
        screen.show_log(told.get("log", ""))


def _sentences(told: dict[str, Any]) -> str:
    batch = "any batch" if told["batch"] is None else f"batches of {told['batch']}"
    lines = (
        "{target}: compiled, {path}",
        f"  opset {{opset}}, {batch}",
        "  bytes: model {model_bytes:,}, ONNX {graph_bytes:,}, compiled {compiled_bytes:,}",
        "  largest difference on {samples} pictures: {largest_difference:.3g}"
        " ({relative_difference:.2g} of the largest output, {largest_output:.3g})",
        "  after postprocessing, {differing:,} of {numbers:,} numbers differ by more than rounding",
        "  one sample, for information: torch {torch_ms:.2f} ms, compiled {compiled_ms:.2f} ms",
    )
    return "\n".join(lines).format_map(told)


def _stem(path: Path) -> str:
    """Return the entry's name without the ending of an archive."""
    name = path.resolve().name
    return next((name.removesuffix(end) for end in (".tar.gz", ".tgz", ".zip") if name.endswith(end)), name)
