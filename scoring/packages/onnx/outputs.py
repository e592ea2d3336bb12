"""Which output of an ONNX graph is its answer, where it has more than one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from onnx import ModelProto, TensorProto, ValueInfoProto

from scoring.contracts import BoxLayout, Finding, OutputContract, OutputKind
from scoring.packages.onnx.walk import shown

FLOATS: Final = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE})
INTEGERS: Final = frozenset(
    {TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64}
)
# What answers are called, the likeliest first.
ANSWERS: Final = ("logits", "output", "outputs", "probabilities", "probs", "scores", "predictions")
CORNERS: Final = 6
BOX: Final = 4
MAX_NAMES: Final = 10
Sides = tuple[int | None, ...]


@dataclass(frozen=True)
class Answer:
    """The output that is scored, by its name, and in words why it was taken."""

    name: str
    why: str


def answer_of(model: ModelProto, contract: OutputContract) -> Answer | str:
    """Return which of several outputs is the answer, or in words why it cannot be told."""
    outputs = list(model.graph.output)
    fitting = [value for value in outputs if _fits(value, contract)]
    if not fitting:
        return (
            f"it has {len(outputs)} outputs{_names(outputs)}, and none of them is {_wanted(contract)}; "
            "give it one that is"
        )
    if len(fitting) == 1:
        return Answer(fitting[0].name, "it is the only one that can have the track's shape")
    named = _named(fitting)
    if named is not None:
        return Answer(named.name, "it has the name of an answer")
    certain = [value for value in fitting if _fits(value, contract, certainly=True)]
    if len(certain) == 1:
        return Answer(certain[0].name, "it is the only one that is declared in the track's shape")
    if fitting[0].name == outputs[0].name:
        return Answer(outputs[0].name, "it is the first")
    return (
        f"it has {len(outputs)} outputs{_names(outputs)}, and {len(fitting)} of them{_names(fitting)} can be "
        f"{_wanted(contract)}; call the one that counts “logits”, or make it the first"
    )


def chosen(model: ModelProto, answer: Answer) -> Finding:
    """Say which output was taken."""
    outputs = list(model.graph.output)
    facts = {
        "found": len(outputs),
        "outputs": _listed(outputs),
        "name": shown(answer.name),
        "why": answer.why,
    }
    return Finding(code="output_chosen", facts=facts)


def _named(outputs: Sequence[ValueInfoProto]) -> ValueInfoProto | None:
    for word in ANSWERS:
        found = [value for value in outputs if value.name.casefold() == word]
        if len(found) == 1:
            return found[0]
    return None


def _fits(value: ValueInfoProto, contract: OutputContract, *, certainly: bool = False) -> bool:
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or tensor.elem_type not in FLOATS | INTEGERS:
        return False
    shapes = _shapes(contract, is_floating=tensor.elem_type in FLOATS)
    if not tensor.HasField("shape"):
        return bool(shapes) and not certainly
    found = tuple(side.dim_value if side.HasField("dim_value") else None for side in tensor.shape.dim)
    return any(_agrees(found[1:], shape, certainly=certainly) for shape in shapes if found)


def _agrees(found: Sides, wanted: Sides, *, certainly: bool) -> bool:
    if len(found) != len(wanted):
        return False
    pairs = [pair for pair in zip(found, wanted, strict=True) if pair[1] is not None]
    return all(side == needed or (side is None and not certainly) for side, needed in pairs)


def _shapes(contract: OutputContract, *, is_floating: bool) -> list[Sides]:
    """Return what an answer of this type may look like, after the batch."""
    if contract.kind is OutputKind.CLASS_MAP:
        return [(contract.classes, None, None)] if is_floating else [(None, None)]
    if not is_floating:
        return []
    if contract.kind is OutputKind.BOXES:
        is_corners = contract.box_layout is BoxLayout.CORNERS
        return [(None, CORNERS)] if is_corners else [(BOX + contract.classes, None)]
    return [(contract.width,)]


def _wanted(contract: OutputContract) -> str:
    is_map = contract.kind is OutputKind.CLASS_MAP
    shapes = _shapes(contract, is_floating=True) + (_shapes(contract, is_floating=False) if is_map else [])
    texts = (
        f"({', '.join(['N', *('?' if side is None else str(side) for side in shape)])})" for shape in shapes
    )
    return f"a {'' if is_map else 'floating-point '}tensor of shape {' or '.join(texts)}"


def _names(values: Sequence[ValueInfoProto]) -> str:
    return f" ({_listed(values)})" if values else ""


def _listed(values: Sequence[ValueInfoProto]) -> str:
    names = [shown(value.name) for value in values[:MAX_NAMES]]
    return ", ".join([*names, *(["…"] if len(values) > MAX_NAMES else [])])
