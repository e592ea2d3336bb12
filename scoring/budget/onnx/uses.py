"""What stored integers are used for: to point at something, or as numbers, and then how finely they are taken apart.

A table of indices is no weight. An integer that is calculated with may be several weights in one:
eight of a byte in 64 bits, sixteen where a shift by four or a mask of four bits takes it apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from onnx import GraphProto, NodeProto, TensorProto

from scoring.budget.onnx.shapes import Value
from scoring.budget.onnx.values import stored_value

BYTE: Final = 8
NIBBLE: Final = 4
# The step of an unpacking whose amount is itself computed.
UNKNOWN_STEP: Final = 4
# Inputs that say where, how far or how large, and whose numbers never reach the output.
POINTING: Final[Mapping[str, frozenset[int]]] = {
    operator: frozenset(places)
    for operator, places in {
        "AffineGrid": [1],
        "BitShift": [1],
        "CenterCropPad": [1],
        "Col2Im": [1, 2],
        "ConstantOfShape": [0],
        "CumProd": [1],
        "CumSum": [1],
        "DFT": [1, 2],
        "Expand": [1],
        "EyeLike": [0],
        "Gather": [1],
        "GatherElements": [1],
        "GatherND": [1],
        "Loop": [0],
        "MaxUnpool": [1, 2],
        "NonMaxSuppression": [2],
        "OneHot": [0, 1],
        "Pad": [1, 3],
        "RandomNormalLike": [0],
        "RandomUniformLike": [0],
        "ReduceL1": [1],
        "ReduceL2": [1],
        "ReduceLogSum": [1],
        "ReduceLogSumExp": [1],
        "ReduceMax": [1],
        "ReduceMean": [1],
        "ReduceMin": [1],
        "ReduceProd": [1],
        "ReduceSum": [1],
        "ReduceSumSquare": [1],
        "Reshape": [1],
        "Resize": [3],
        "ReverseSequence": [1],
        "RoiAlign": [2],
        "RotaryEmbedding": [3],
        "STFT": [1, 3],
        "Scatter": [1],
        "ScatterElements": [1],
        "ScatterND": [1],
        "SequenceAt": [1],
        "SequenceErase": [1],
        "SequenceInsert": [2],
        "Shape": [0],
        "Size": [0],
        "Slice": [1, 2, 3, 4],
        "Split": [1],
        "SplitToSequence": [1],
        "Squeeze": [1],
        "TensorScatter": [2],
        "Tile": [1],
        "TopK": [1],
        "Trilu": [1],
        "Unsqueeze": [1],
        "Upsample": [1],
    }.items()
}
# 32-bit biases of quantised models: one weight each, whatever their width.
WHOLE: Final[Mapping[str, frozenset[int]]] = {
    "DequantizeLinear": frozenset({0, 2}),
    "QLinearConv": frozenset({8}),
    "com.microsoft::QGemm": frozenset({6}),
    "com.microsoft::QLinearConv": frozenset({8}),
}
# Operators whose outputs hold numbers of their inputs as they are.
MOVING: Final = frozenset(
    """
    CenterCropPad Compress Concat DepthToSpace Expand Flatten Gather GatherElements GatherND Identity Pad
    Reshape ReverseSequence ScatterElements ScatterND Slice SpaceToDepth Split Squeeze Tile Transpose Trilu
    Unsqueeze Where
    com.microsoft::GatherND com.microsoft::Pad com.microsoft::Trilu ai.onnx.ml::ArrayFeatureExtractor
    """.split()  # noqa: SIM905 (a table of words)
)
INTEGER_ARITHMETIC: Final = frozenset(
    "Abs Add BitwiseNot BitwiseOr BitwiseXor Clip Max Min Mul Neg Sub Sum".split()  # noqa: SIM905
)
UNPACKING: Final = frozenset("BitShift BitwiseAnd Div Mod".split())  # noqa: SIM905
# Products that unpack their weights and zero points.
PACKED: Final = frozenset({"com.microsoft::MatMulBnb4", "com.microsoft::MatMulNBits"})
PACKED_PLACES: Final = frozenset({1, 3})
INTEGERS: Final = frozenset(
    {
        *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64),
        *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
    }
)


@dataclass(frozen=True)
class Uses:
    """What becomes of each value of a model, by name.

    `calculated` are those whose numbers are calculated with. `steps` says in steps of how many bits
    a value is taken apart if it is an integer, `cast_steps` the same of one whose bits are first
    taken as an integer's.
    """

    calculated: set[str] = field(default_factory=set)
    steps: dict[str, int] = field(default_factory=dict)
    cast_steps: dict[str, int] = field(default_factory=dict)

    def numbers_in(self, name: str, bits: int, *, floating: bool) -> int:
        """Return how many weights one number of so many bits may be."""
        step = (self.cast_steps if floating else self.steps).get(name)
        if step is None:
            step = BYTE if bits > BYTE and not floating and name in self.calculated else bits
        return math.ceil(bits / min(step, bits))


def uses_of(graph: GraphProto) -> Uses:
    """Follow every value of the graph, and of the graphs inside it, to what is done with it."""
    uses = Uses()
    _walk(graph, uses, dict(_small_integers(graph)))
    return uses


def _walk(graph: GraphProto, uses: Uses, known: Mapping[str, Value]) -> None:
    for node in reversed(graph.node):
        for inner in _inner_graphs(node):
            _walk(inner, uses, known)
        for place, name in enumerate(node.input):
            is_number = all(place not in each.get(node.op_type, ()) for each in (POINTING, WHOLE))
            if name and is_number:
                _note(name, place, node, uses, known)


def _note(name: str, place: int, node: NodeProto, uses: Uses, known: Mapping[str, Value]) -> None:
    if node.op_type in MOVING or (node.op_type == "Cast" and _casts_to_integer(node)):
        if not uses.calculated.isdisjoint(node.output):
            uses.calculated.add(name)
        _lower(uses.steps, name, _known(uses.steps, node.output))
        if node.op_type in MOVING:
            _lower(uses.cast_steps, name, _known(uses.cast_steps, node.output))
        return
    uses.calculated.add(name)
    if node.op_type in PACKED and place in PACKED_PLACES:
        _lower(uses.steps, name, [_bits_of(node)])
    elif node.op_type == "BitCast":
        _lower(uses.steps, name, _known(uses.steps, node.output))
        _lower(uses.cast_steps, name, [*_known(uses.steps, node.output), BYTE])
    elif node.op_type in UNPACKING:
        _lower(uses.steps, name, [_step(node, place, known), *_known(uses.steps, node.output)])
        if node.op_type == "Mod":
            _lower(uses.cast_steps, name, [BYTE])
    elif node.op_type in INTEGER_ARITHMETIC:
        _lower(uses.steps, name, _known(uses.steps, node.output))


def _known(steps: Mapping[str, int], names: Iterable[str]) -> list[int]:
    return [steps[name] for name in names if name in steps]


def _lower(steps: dict[str, int], name: str, found: Sequence[int]) -> None:
    if found:
        steps[name] = min(*found, steps.get(name, BYTE), BYTE)


def _step(node: NodeProto, place: int, known: Mapping[str, Value]) -> int:
    """Return in steps of how many bits an operator takes its integer apart."""
    other = node.input[1 - place] if len(node.input) > 1 and place < 2 else ""
    if node.op_type in {"Div", "Mod"} and place == 1:
        return BYTE
    if other not in known:
        return UNKNOWN_STEP
    steps = [_STEPS[node.op_type](abs(int(number))) for number in known[other].ravel()]
    return min((step for step in steps if step > 0), default=BYTE)


_STEPS: Final = {
    "BitShift": lambda amount: amount,
    "BitwiseAnd": lambda mask: mask.bit_count(),
    "Div": lambda divisor: divisor.bit_length() - 1,
    "Mod": lambda divisor: divisor.bit_length() - 1,
}


def _bits_of(node: NodeProto) -> int:
    """Return how many bits each of the packed weights has."""
    return next((attribute.i for attribute in node.attribute if attribute.name == "bits"), NIBBLE) or 1


def _casts_to_integer(node: NodeProto) -> bool:
    return any(attribute.name == "to" and attribute.i in INTEGERS for attribute in node.attribute)


def _small_integers(graph: GraphProto) -> Iterator[tuple[str, Value]]:
    stored = [(tensor.name, tensor) for tensor in graph.initializer]
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.HasField("t"):
                stored.append((node.output[0], attribute.t))
        for inner in _inner_graphs(node):
            yield from _small_integers(inner)
    for name, tensor in stored:
        value = stored_value(tensor) if tensor.data_type in INTEGERS else None
        if value is not None:
            yield name, value


def _inner_graphs(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        yield from attribute.graphs
        if attribute.HasField("g"):
            yield attribute.g
