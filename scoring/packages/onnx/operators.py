"""What of an ONNX model's operators and versions the installed ONNX Runtime can be expected to run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from onnx import ModelProto, NodeProto, defs

from scoring.contracts.runtime_operators import RUNTIME_NORMALISATIONS, RUNTIME_OPERATORS, qualified
from scoring.packages.onnx.walk import nodes, shown

# What ONNX Runtime 1.31 loads; a test holds these against the one that is installed.
MIN_OPSET: Final = 7
MAX_OPSET: Final = 26
MIN_IR: Final = 3
MAX_IR: Final = 13
STANDARD_DOMAINS: Final = frozenset({"", "ai.onnx"})
# Weights and pictures are laid out here as one kind of processor likes them: elsewhere, answers differ.
PROCESSOR_DOMAINS: Final = frozenset({"com.microsoft.nchwc", "com.ms.internal.nhwc"})
BUILT_IN_DOMAINS: Final = (
    STANDARD_DOMAINS
    | PROCESSOR_DOMAINS
    | RUNTIME_OPERATORS.keys()
    | {
        *("ai.onnx.preview", "ai.onnx.preview.training", "ai.onnx.training"),
        *("com.microsoft.experimental", "com.microsoft.extensions", "org.pytorch.aten"),
    }
)


def graph_problems(model: ModelProto) -> Iterator[str]:
    """Yield what is wrong with versions, domains and operators of a model without functions."""
    if not model.graph.node:
        yield "its graph has no nodes"
    if not MIN_IR <= model.ir_version <= MAX_IR:
        yield f"its IR version is {model.ir_version}; {MIN_IR} to {MAX_IR} are accepted"
    yield from _opset_problems(model)
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
    found: dict[str, set[str]] = {why: set() for why in REASONS}
    for node in nodes(model):
        why = _refused(node, version)
        if why is not None:
            name = shown(node.op_type)
            is_standard = node.domain in STANDARD_DOMAINS
            found[why].add(name if is_standard else qualified(shown(node.domain), name))
    for why, names in found.items():
        if names:
            yield why.format(names=", ".join(sorted(names)[:10]), version=version)


CUSTOM: Final = (
    "it uses custom operators: {names}; use the standard ones, those of ai.onnx.ml, or those that ONNX Runtime "
    "writes itself"
)
FOR_A_PROCESSOR: Final = (
    "it was optimised for one kind of processor ({names}) and would answer otherwise on another; save it with "
    "ORT_ENABLE_EXTENDED instead of ORT_ENABLE_ALL"
)
NOT_COUNTED: Final = (
    "it uses operators of ONNX Runtime whose work or weights Podium cannot count: {names}; write them with "
    "standard operators"
)
UNKNOWN: Final = "opset {version} has no operator {names}"
REASONS: Final = (CUSTOM, FOR_A_PROCESSOR, NOT_COUNTED, UNKNOWN)


def _refused(node: NodeProto, version: int | None) -> str | None:
    """Return why an operator is refused, or None."""
    if node.domain in STANDARD_DOMAINS:
        return None if version is None or _exists(node.op_type, version) else UNKNOWN
    if node.domain in PROCESSOR_DOMAINS:
        return FOR_A_PROCESSOR
    if node.domain not in RUNTIME_OPERATORS:
        return CUSTOM
    return None if node.op_type in RUNTIME_OPERATORS[node.domain] else NOT_COUNTED


def _exists(operator: str, version: int) -> bool:
    # A version that does not fit the library's C int has a finding of its own already.
    is_other = not MIN_OPSET <= version <= MAX_OPSET or operator in RUNTIME_NORMALISATIONS
    return is_other or defs.has(operator, version, "")
