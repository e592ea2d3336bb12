"""The operators of ONNX Runtime's own domains that a graph may use: those whose work and weights are counted.

ONNX Runtime writes `com.microsoft` operators when it optimises or quantises a graph, and scikit-learn's
converter writes `ai.onnx.ml`. What else these domains have is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RUNTIME_OPERATORS: Final[Mapping[str, frozenset[str]]] = {
    "com.microsoft": frozenset(
        """
        Attention BiasGelu CDist DequantizeLinear DynamicQuantizeLSTM DynamicQuantizeMatMul FastGelu FusedConv
        FusedGemm FusedMatMul GatherND Gelu GridSample MatMulBnb4 MatMulInteger16 MatMulIntegerToFloat
        MatMulNBits MultiHeadAttention NhwcMaxPool Pad QAttention QGemm QLinearAdd QLinearAveragePool
        QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul QLinearSigmoid
        QLinearSoftmax QLinearWhere QuantizeLinear QuickGelu RotaryEmbedding ScaledSiLU SkipLayerNormalization
        SkipSimplifiedLayerNormalization TransposeMatMul Trilu
        """.split()  # noqa: SIM905 (a table of words)
    ),
    "ai.onnx.ml": frozenset(
        """
        ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor
        Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier
        TreeEnsembleRegressor
        """.split()  # noqa: SIM905 (a table of words)
    ),
}
# ONNX Runtime has these in the standard domain, at opsets whose standard has no such operator.
RUNTIME_NORMALISATIONS: Final = frozenset({"LayerNormalization", "SimplifiedLayerNormalization"})


def qualified(domain: str, operator: str) -> str:
    """Return how an operator is called that is not a standard one."""
    return f"{domain}::{operator}"
