"""Multiply-adds of each ONNX operator, from shapes alone: one table of formulas, two of free operators.

Convention: one MAC is one multiply-add of a matrix product, a convolution or a recurrent cell.
Activations, normalisation, pooling, resizing and elementwise arithmetic are free, as they are for
ptflops, fvcore and PyTorch's own counter, up to a share of the products. What no table has is reported by
name, and refused where MACs have a budget.
"""

from __future__ import annotations

from typing import Final

from scoring.budget.onnx.formulas import (
    Formula,
    affine_grid,
    attention,
    convolution,
    determinant,
    einsum,
    fourier,
    general_product,
    matrix_product,
    outer_product,
    recurrence,
    short_time_fourier,
    transposed_convolution,
)
from scoring.budget.onnx.rewritten import HEAVY

FORMULAS: Final[dict[str, Formula]] = {
    "AffineGrid": affine_grid,
    "Attention": attention,
    "CausalConvWithState": convolution(weight=1),
    "Conv": convolution(weight=1),
    "ConvInteger": convolution(weight=1),
    "ConvTranspose": transposed_convolution,
    "DFT": fourier,
    "DeformConv": convolution(weight=1),
    "Det": determinant,
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
    "STFT": short_time_fourier,
}


def of_unknown_shape(operator: str) -> str:
    """Return how an operator is named whose MACs depend on a shape that nobody knows."""
    return f"{operator} (shape unknown)"


# Elementwise, and free where they do not grow.
MAYBE_FREE: Final = frozenset({"Div", "Mul"})
# Written elementwise, a product runs at the speed of memory: processor time bounds it well below the budget.
PRODUCTS: Final = (frozenset(FORMULAS) - MAYBE_FREE) | HEAVY
# What multiplies, or hides what multiplies, in ways that no formula here follows; no picture needs it.
UNCOUNTED: Final = frozenset(
    """
    ImageDecoder LinearAttention RegexFullMatch SequenceMap StringConcat StringNormalizer StringSplit TfIdfVectorizer
    """.split()  # noqa: SIM905 (a table of words)
)
# How products are named that nobody could count, alone or in graphs inside graphs.
UNKNOWN_PRODUCTS: Final = UNCOUNTED | {
    of_unknown_shape(operator) for operator in (*PRODUCTS, "If", "Loop", "Scan")
}

# Operators that move, make or lay out values; what they cost is memory.
MOVES: Final = frozenset(
    """
    BitCast Cast CastLike CenterCropPad Compress Concat ConcatFromSequence Constant ConstantOfShape DepthToSpace
    Dropout Expand EyeLike Flatten Gather GatherElements GatherND Identity NonZero OneHot Optional
    OptionalGetElement OptionalHasElement Pad RandomNormal RandomNormalLike RandomUniform RandomUniformLike
    Range Reshape ReverseSequence Scatter ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty
    SequenceErase SequenceInsert SequenceLength Shape Size Slice SpaceToDepth Split SplitToSequence Squeeze
    TensorScatter Tile Transpose Trilu Unsqueeze Where
    """.split()  # noqa: SIM905 (a table of words)
)
# Operators that work on each value: free within a share of the products (see `contracts.counter`).
WORKS: Final = frozenset(
    """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Bernoulli
    BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Ceil Celu Clip Col2Im Cos Cosh
    CumProd CumSum DequantizeLinear DynamicQuantizeLinear Elu Equal Erf Exp Floor Gelu GlobalAveragePool
    GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HammingWindow
    HannWindow HardSigmoid HardSwish Hardmax InstanceNormalization IsInf IsNaN LRN LayerNormalization
    LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization LpPool Max MaxPool MaxRoiPool MaxUnpool Mean
    MeanVarianceNormalization MelWeightMatrix Min Mish Mod Multinomial Neg NegativeLogLikelihoodLoss
    NonMaxSuppression Not Or PRelu Pow QuantizeLinear RMSNormalization Reciprocal ReduceL1 ReduceL2
    ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu
    Resize RoiAlign RotaryEmbedding Round Selu Shrink Sigmoid Sign SimplifiedLayerNormalization Sin Sinh
    Softmax SoftmaxCrossEntropyLoss Softplus Softsign Sqrt Sub Sum SwiGLU Swish Tan Tanh ThresholdedRelu
    TopK Unique Upsample Xor
    """.split()  # noqa: SIM905 (a table of words)
)
FREE: Final = MOVES | WORKS
