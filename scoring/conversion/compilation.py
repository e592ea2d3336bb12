"""Compiles the graph of an entry for a target of the BYOM guide, in the sandbox, and shows how near it is.

One target is available: the processor that this runs on, if it is an x86-64 one. The others are
known by name and refused, because nothing here could show that what came out is the same model.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from scoring.contracts import Format, Package, Task, TrackSpec
from scoring.conversion.source import capture, open_source, run_task
from scoring.errors import Rejected, reject
from scoring.flow.runs import Note, Tools
from scoring.sandbox import exchange
from scoring.sandbox.base import Sandbox

CODE: Final = "compilation_failed"
X86_64_CPU: Final = "x86_64-cpu"
X86_64_MACHINES: Final = frozenset({"x86_64", "amd64"})
# What each needs that Podium does not use.
ELSEWHERE: Final[Mapping[str, str]] = {
    "x86_64-cuda": "it needs an NVIDIA GPU, but Podium runs models on the CPU",
    "arm64-cpu": "it needs a 64-bit ARM processor to run and compare the model",
    "jetson-xavier": "it needs a Jetson Xavier with CUDA 10.2 and TensorRT 8.2",
    "jetson-xavier-jp5": "it needs a Jetson Xavier with JetPack 5",
    "jetson-xavier-jp6": "it needs a Jetson Xavier with JetPack 6",
}
TARGETS: Final = (X86_64_CPU, *ELSEWHERE)


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A compiled model, how near it comes to its origin, and how large the file was that it was made of."""

    format: Format
    content: bytes
    model_bytes: int
    facts: exchange.CompileFacts


def available_targets(machine: str) -> tuple[str, ...]:
    """Return the targets that a machine with this processor can compile for."""
    return (X86_64_CPU,) if machine.lower() in X86_64_MACHINES else ()


def refuse_target(target: str, machine: str) -> Rejected | None:
    """Return why the target cannot be compiled for on a machine with this processor, if it cannot."""
    if target not in TARGETS:
        return reject("unknown_target", target=target, known=", ".join(TARGETS))
    available = available_targets(machine)
    if target in available:
        return None
    why = ELSEWHERE.get(target, "this machine has a different processor")
    return reject("target_unavailable", target=target, why=why, available=", ".join(available) or "none")


def compile_entry(
    entry: Path,
    track: TrackSpec,
    *,
    target: str,
    source: Format | None,
    sandbox: Sandbox,
    workdir: Path,
    note: Note,
) -> Compiled:
    """Compile the entry's graph for the target; raises only Rejected and Fault."""
    refused = refuse_target(target, platform.machine())
    if refused is not None:
        raise refused
    tools = Tools(sandbox=sandbox, workdir=workdir, note=note)
    origin = open_source(entry, track, source=source, code=CODE, tools=tools)
    run, job = run_task(Task.COMPILE, capture(origin, code=CODE, tools=tools), tools)
    facts = cast(exchange.CompileFacts, exchange.interpret(run, job))
    return Compiled(
        format=origin.package.format,
        content=exchange.read_export(run, job),
        model_bytes=_model_bytes(origin.package),
        facts=facts,
    )


def _model_bytes(package: Package) -> int:
    """Return the size of the file with the weights; for a package with code, of the whole package."""
    if package.format is Format.BYOM:
        return (package.root / package.main).stat().st_size
    return package.package_bytes
