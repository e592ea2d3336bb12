"""Multiply-adds of each ONNX operator, from shapes alone: one table of formulas, one of free operators.

Convention: one MAC is one multiply-add of a matrix product, a convolution or a recurrent cell.
Activations, normalisation, pooling, resizing and elementwise arithmetic are free, as they are for
ptflops, fvcore and PyTorch's own counter. What is in neither table is reported by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from onnx import NodeProto, helper

from scoring.budget.onnx.shapes import Scope, UnknownShapeError

Formula = Callable[[NodeProto, Scope], int]


def attributes(node: NodeProto) -> Mapping[str, object]:
    """Return the node's attributes as Python values."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def convolution(weight: int) -> Formula:
    """Each output value sums over one kernel: output x (channels / groups) x kernel."""
    return lambda node, scope: scope.size(node.output[0]) * math.prod(scope.shape(node.input[weight])[1:])


def transposed_convolution(node: NodeProto, scope: Scope) -> int:
    """Spread each input value over one kernel: input x (filters / groups) x kernel."""
    return scope.size(node.input[0]) * math.prod(scope.shape(node.input[1])[1:])


def matrix_product(node: NodeProto, scope: Scope) -> int:
    """Sum each output value over the last axis of the first factor."""
    return scope.size(node.output[0]) * scope.shape(node.input[0])[-1]


def general_product(node: NodeProto, scope: Scope) -> int:
    """Sum each output value over the axis of A that is not in the output."""
    transposed = bool(attributes(node).get("transA", 0))
    return scope.size(node.output[0]) * scope.shape(node.input[0])[0 if transposed else 1]


def recurrence(node: NodeProto, scope: Scope) -> int:
    """Apply the input and the recurrent weights of all gates and directions at each step."""
    steps_and_batch = math.prod(scope.shape(node.input[0])[:2])
    return steps_and_batch * (scope.size(node.input[1]) + scope.size(node.input[2]))


def outer_product(node: NodeProto, scope: Scope) -> int:
    """Count an elementwise product only where it grows beyond both factors.

    A matrix product can be written as such a `Mul` and a `ReduceSum`, to be counted as nothing; the
    growth can be left to an `Expand` before it.
    """
    grown = scope.size(node.output[0])
    return grown if grown > max(scope.distinct(name) for name in node.input) else 0


def einsum(node: NodeProto, scope: Scope) -> int:
    """Multiply the sizes of all indices, once for each factor after the first."""
    equation = attributes(node)["equation"]
    text = equation.decode() if isinstance(equation, bytes) else str(equation)
    terms = text.replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, int] = {}
    for term, name in zip(terms, node.input, strict=True):
        for index, size in _einsum_indices(term, scope.shape(name)):
            sizes[index] = max(size, sizes.get(index, 1))
    return math.prod(sizes.values()) * (len(node.input) - 1)


def _einsum_indices(term: str, shape: tuple[int, ...]) -> list[tuple[str, int]]:
    head, dots, tail = term.partition("...")
    spare = len(shape) - len(head) - len(tail)
    if spare < 0 or (spare and not dots):
        raise UnknownShapeError
    # Axes under an ellipsis align from the right, as in broadcasting.
    middle = [f"...{spare - place}" for place in range(spare)]
    return list(zip([*head, *middle, *tail], shape, strict=True))


def attention(node: NodeProto, scope: Scope) -> int:
    """Multiply queries by keys, then weights by values, for each head; past keys count too."""
    queries, keys, values = (scope.shape(name) for name in node.input[:3])
    found = attributes(node)
    if len(queries) == 3:
        heads, kv_heads = found.get("q_num_heads"), found.get("kv_num_heads")
        if not isinstance(heads, int) or not isinstance(kv_heads, int) or not heads or not kv_heads:
            raise UnknownShapeError
        batch, length, width = queries[0], queries[1], queries[2] // heads
        past_and_present, value_width = keys[1], values[2] // kv_heads
    else:
        batch, heads, length, width = queries
        past_and_present, value_width = keys[2], values[3]
    if len(node.input) > 4 and node.input[4]:
        past_and_present += scope.shape(node.input[4])[2]
    return batch * heads * length * past_and_present * (width + value_width)


FORMULAS: Final[dict[str, Formula]] = {
    "Attention": attention,
    "Conv": convolution(weight=1),
    "ConvInteger": convolution(weight=1),
    "ConvTranspose": transposed_convolution,
    "DeformConv": convolution(weight=1),
    "Div": outer_product,
    "Einsum": einsum,
    "GRU": recurrence,
    "Gemm": general_product,
    "LSTM": recurrence,
    "MatMul": matrix_product,
    "MatMulInteger": matrix_product,
    "Mul": outer_product,
    "QLinearConv": convolution(weight=3),
    "QLinearMatMul": matrix_product,
    "RNN": recurrence,
}


def of_unknown_shape(operator: str) -> str:
    """Return how an operator is named whose MACs depend on a shape that nobody knows."""
    return f"{operator} (shape unknown)"


# Written elementwise, a product runs at the speed of memory: processor time bounds it well below the budget.
PRODUCTS: Final = frozenset(FORMULAS) - {"Div", "Mul"}
# How products are named that nobody could count, alone or in graphs inside graphs.
UNKNOWN_PRODUCTS: Final = frozenset(
    of_unknown_shape(operator) for operator in {*PRODUCTS, "If", "Loop", "Scan"}
)

FREE_OPERATORS: Final = """
    Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization
    Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil
    Celu CenterCropPad Clip Col2Im Compress Concat ConcatFromSequence Constant ConstantOfShape Cos Cosh
    CumProd CumSum DepthToSpace DequantizeLinear Dropout DynamicQuantizeLinear Elu Equal Erf Exp Expand
    EyeLike Flatten Floor Gather GatherElements GatherND Gelu GlobalAveragePool GlobalLpPool GlobalMaxPool
    Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish
    Hardmax Identity InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log
    LogSoftmax LpNormalization LpPool Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization Min
    Mish Mod Multinomial Neg NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement
    OptionalHasElement Or PRelu Pad Pow QuantizeLinear RMSNormalization RandomNormal RandomNormalLike
    RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence
    RoiAlign RotaryEmbedding Round Scatter ScatterElements ScatterND Selu SequenceAt SequenceConstruct
    SequenceEmpty SequenceErase SequenceInsert SequenceLength Shape Shrink Sigmoid Sign Sin Sinh Size Slice
    Softmax Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze Sub Sum Swish Tan Tanh
    TensorScatter ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor
"""
FREE: Final = frozenset(FREE_OPERATORS.split())
