"""What of an ONNX model's operators and versions the installed ONNX Runtime can be expected to run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from onnx import ModelProto, defs

from scoring.packages.onnx.walk import nodes, shown

# What ONNX Runtime 1.31 loads; a test holds these against the one that is installed.
MIN_OPSET: Final = 7
MAX_OPSET: Final = 26
MIN_IR: Final = 3
MAX_IR: Final = 13
STANDARD_DOMAINS: Final = frozenset({"", "ai.onnx"})


def graph_problems(model: ModelProto) -> Iterator[str]:
    """Yield what is wrong with versions, domains, functions and operators."""
    if not model.graph.node:
        yield "its graph has no nodes"
    if not MIN_IR <= model.ir_version <= MAX_IR:
        yield f"its IR version is {model.ir_version}; {MIN_IR} to {MAX_IR} are accepted"
    yield from _opset_problems(model)
    if model.functions:
        # Functions that call functions twice each grow without bound when they are expanded.
        names = ", ".join(sorted(shown(function.name) for function in model.functions)[:10])
        yield f"it defines its own functions ({names}); inline them (onnx.inliner) before packing"
    yield from _operator_problems(model)


def standard_opset(model: ModelProto) -> int | None:
    """Return the version of the standard operators, if the model declares exactly one."""
    versions = [opset.version for opset in model.opset_import if opset.domain in STANDARD_DOMAINS]
    return versions[0] if len(versions) == 1 else None


def _opset_problems(model: ModelProto) -> Iterator[str]:
    version = standard_opset(model)
    if version is None:
        yield "it must declare exactly one opset for the standard operators"
    elif not MIN_OPSET <= version <= MAX_OPSET:
        yield f"its opset is {version}; {MIN_OPSET} to {MAX_OPSET} are accepted"


def _operator_problems(model: ModelProto) -> Iterator[str]:
    version = standard_opset(model)
    foreign: set[str] = set()
    unknown: set[str] = set()
    for node in nodes(model):
        if node.domain not in STANDARD_DOMAINS:
            foreign.add(f"{shown(node.domain)}::{shown(node.op_type)}")
        elif version is not None and not _exists(node.op_type, version):
            unknown.add(shown(node.op_type))
    if foreign:
        yield f"it uses operators outside the standard domain: {', '.join(sorted(foreign)[:10])}"
    if unknown:
        yield f"opset {version} has no operator {', '.join(sorted(unknown)[:10])}"


def _exists(operator: str, version: int) -> bool:
    # A version that does not fit the library's C int has a finding of its own already.
    return not MIN_OPSET <= version <= MAX_OPSET or defs.has(operator, version, "")
