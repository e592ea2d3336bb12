"""Writes operators of ONNX Runtime's own domains as standard ones that do the same work on the same shapes.

The shapes, MACs and constants of what is written are followed as for any node. Names of values in between
are longer than every name of the node, so that no value of the graph is taken for one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Final

from onnx import AttributeProto, NodeProto, OperatorSetIdProto, TensorProto, helper

from scoring.budget.onnx.formulas import attributes, values_worked_on
from scoring.budget.onnx.inference import Dialect
from scoring.budget.onnx.shapes import Fact, Scope, UnknownShapeError, tensor_type

# The version of the standard operators that everything here is written in.
DIALECT: Final = Dialect(opsets=(OperatorSetIdProto(version=21),), ir_version=10)
Rewriting = Callable[[NodeProto, Scope], Sequence[NodeProto]]
Triple = tuple[str, ...]


def _between(node: NodeProto, what: str) -> str:
    return f"{max([*node.input, *node.output], key=len)}/{what}"


def _input(node: NodeProto, place: int) -> str:
    return node.input[place] if len(node.input) > place else ""


def _integer(node: NodeProto, name: str, default: int = 0) -> int:
    found = attributes(node).get(name, default)
    if not isinstance(found, int):
        raise UnknownShapeError
    return found


def _listed(node: NodeProto, name: str) -> int:
    """Return how many numbers or texts an attribute lists, as a list or as a tensor."""
    for attribute in node.attribute:
        if attribute.name == name:
            lists = len(attribute.floats) + len(attribute.ints) + len(attribute.strings)
            return lists + (math.prod(attribute.t.dims) if attribute.HasField("t") else 0)
    return 0


def _floating(scope: Scope, name: str, *sizes: int, element: int = TensorProto.FLOAT) -> str:
    """Define a value of this shape and return its name."""
    scope.define(name, Fact(tensor_type(element, sizes)))
    return name


def _kept(node: NodeProto, names: Sequence[str]) -> list[AttributeProto]:
    return [attribute for attribute in node.attribute if attribute.name in names]


def standard(operator: str, *, inputs: int = 3, keep: Sequence[str] = ()) -> Rewriting:
    """Write a node as a standard operator of its first inputs."""

    def rewrite(node: NodeProto, _: Scope) -> Sequence[NodeProto]:
        made = helper.make_node(operator, node.input[:inputs], node.output[:1])
        made.attribute.extend(_kept(node, keep))
        return [made]

    return rewrite


elementwise = standard("Identity", inputs=1)


def _biased(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    return standard("Add", inputs=2)(node, scope) if _input(node, 1) else elementwise(node, scope)


def _skipping(node: NodeProto, _: Scope) -> Sequence[NodeProto]:
    """Add what is skipped; the sum may be wanted as the fourth output."""
    made = [helper.make_node("Add", node.input[:2], node.output[:1])]
    if len(node.output) > 3 and node.output[3]:
        made.append(helper.make_node("Add", node.input[:2], node.output[3:4]))
    return made


# --- products

WINDOW: Final = ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")
POOL: Final = ("auto_pad", "ceil_mode", "kernel_shape", "pads", "strides")


def _fused_convolution(node: NodeProto, _: Scope) -> Sequence[NodeProto]:
    product = _between(node, "product")
    made = helper.make_node("Conv", node.input[:3], [product])
    made.attribute.extend(_kept(node, WINDOW))
    rest = [product, node.input[3]] if _input(node, 3) else [product]
    return [made, helper.make_node("Add" if len(rest) > 1 else "Identity", rest, node.output[:1])]


def _fused_product(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    if _integer(node, "transBatchA") or _integer(node, "transBatchB"):
        raise UnknownShapeError
    made, factors = [], []
    for place, flag in enumerate(("transA", "transB")):
        name = node.input[place]
        if _integer(node, flag):
            *outer, row, column = range(len(scope.shape(name)))
            turned = _between(node, flag)
            made.append(helper.make_node("Transpose", [name], [turned], perm=[*outer, column, row]))
            name = turned
        factors.append(name)
    return [*made, helper.make_node("MatMul", factors, node.output[:1])]


def _integer_product(node: NodeProto, _: Scope) -> Sequence[NodeProto]:
    """Multiply integers, or a float by integers, into floats."""
    names = [_between(node, str(place)) for place in range(2)]
    casts = [
        helper.make_node("Cast", [given], [name], to=TensorProto.FLOAT)
        for given, name in zip(node.input, names, strict=False)
    ]
    return [*casts, helper.make_node("MatMul", names, node.output[:1])]


def _packed_product(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    """Multiply by N columns of K weights that are packed into bytes."""
    rows, columns = _integer(node, "K"), _integer(node, "N")
    if rows <= 0 or columns <= 0:
        raise UnknownShapeError
    weight = _floating(scope, _between(node, "weight"), rows, columns)
    return [helper.make_node("MatMul", [node.input[0], weight], node.output[:1])]


def _distances(node: NodeProto, _: Scope) -> Sequence[NodeProto]:
    turned = _between(node, "turned")
    return [
        helper.make_node("Transpose", [node.input[1]], [turned], perm=[1, 0]),
        helper.make_node("MatMul", [node.input[0], turned], node.output[:1]),
    ]


def _recurrent(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    """Write an LSTM whose weights are stored the other way round."""
    weights = []
    for place in (1, 2):
        directions, rows, columns = scope.shape(node.input[place])
        weights.append(_floating(scope, _between(node, str(place)), directions, columns, rows))
    made = helper.make_node("LSTM", [node.input[0], *weights], node.output)
    made.attribute.extend(_kept(node, ("direction", "hidden_size")))
    return [made]


# --- attention


def _attention(past: int) -> Rewriting:
    """Project to queries, keys and values at once, then attend; `past` is the input with earlier keys."""

    def rewrite(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
        batch, length, _ = scope.shape(node.input[0])
        projected = scope.shape(node.input[1])[1]
        sizes = attributes(node).get("qkv_hidden_sizes") or [projected // 3] * 3
        if not isinstance(sizes, list) or len(sizes) != 3 or sum(sizes) != projected:
            raise UnknownShapeError
        keys = length + (scope.shape(node.input[past])[3] if _input(node, past) else 0)
        product = _integer_product(node, scope)
        product[-1].output[0] = _between(node, "projected")
        heads = _heads(node, scope, batch, queries=length, keys=keys, widths=(sizes[0], sizes[2]))
        return [*product, *heads]

    return rewrite


def _many_heads(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    """Attend with queries, keys and values that are projected already; packed ones are not followed."""
    batch, length, width = scope.shape(node.input[0])
    keys, values = scope.shape(node.input[1]), scope.shape(node.input[2])
    if len(keys) != len(values) or len(keys) not in {3, 4}:
        raise UnknownShapeError
    count = keys[-2] + (scope.shape(node.input[6])[2] if _input(node, 6) else 0)
    value_width = values[-1] * (values[1] if len(values) == 4 else 1)
    return _heads(node, scope, batch, queries=length, keys=count, widths=(width, value_width))


def _heads(
    node: NodeProto, scope: Scope, batch: int, *, queries: int, keys: int, widths: tuple[int, int]
) -> Sequence[NodeProto]:
    heads = _integer(node, "num_heads")
    if heads <= 0:
        raise UnknownShapeError
    each, value = widths[0] // heads, widths[1] // heads
    query = _floating(scope, _between(node, "queries"), batch, heads, queries, each)
    key = _floating(scope, _between(node, "keys"), batch, heads, each, keys)
    values = _floating(scope, _between(node, "values"), batch, heads, keys, value)
    scores, mixed = _between(node, "scores"), _between(node, "mixed")
    _floating(scope, node.output[0], batch, queries, widths[1])
    return [
        helper.make_node("MatMul", [query, key], [scores]),
        helper.make_node("MatMul", [scores, values], [mixed]),
    ]


# --- quantised operators: what they do between taking the scales off and putting one on


def quantised(operator: str, factors: int = 1, *, keep: Sequence[str] = (), first: int = 0) -> Rewriting:
    """Write an operator of so many quantised inputs, each with its scale and zero point."""

    def rewrite(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
        end = first + 3 * factors
        triples = [tuple(node.input[place : place + 3]) for place in range(first, end, 3)]
        made = NodeProto(op_type=operator, attribute=_kept(node, keep))
        return _around(node, scope, made, [*node.input[:first]], triples, tuple(node.input[end : end + 2]))

    return rewrite


def _around(
    node: NodeProto,
    scope: Scope,
    made: NodeProto,
    plain: Sequence[str],
    triples: Sequence[Triple],
    scale: Triple,
) -> Sequence[NodeProto]:
    """Put `made` between floats of its quantised inputs and its quantised output."""
    before, names = [], []
    for place, triple in enumerate(triples):
        names.append(_between(node, f"input{place}"))
        before.append(helper.make_node("DequantizeLinear", [name for name in triple if name], names[-1:]))
    after = []
    result = _between(node, "result") if scale else node.output[0]
    if _integer(node, "channels_last"):
        rank = len(scope.shape(triples[0][0]))
        front, back = _between(node, "front"), _between(node, "back")
        before.append(helper.make_node("Transpose", names[:1], [front], perm=_to_front(rank)))
        after.append(helper.make_node("Transpose", [back], [result], perm=_to_back(rank)))
        names[0] = front
        made.output.append(back)
    else:
        made.output.append(result)
    made.input.extend([*plain, *names])
    if scale:
        last = [name for name in (result, *scale) if name]
        after.append(helper.make_node("QuantizeLinear", last, node.output[:1]))
    return [*before, made, *after]


def _to_front(rank: int) -> list[int]:
    return [0, rank - 1, *range(1, rank - 1)]


def _to_back(rank: int) -> list[int]:
    return [0, *range(2, rank), 1]


def _quantised_gemm(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    made = NodeProto(op_type="Gemm", attribute=_kept(node, ("transA", "transB")))
    scale = tuple(node.input[7:9]) if _input(node, 7) else ()
    return _around(node, scope, made, [], [tuple(node.input[:3]), tuple(node.input[3:6])], scale)


def _joined(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    triples = [tuple(node.input[place : place + 3]) for place in range(2, len(node.input), 3)]
    made = NodeProto(op_type="Concat", attribute=_kept(node, ("axis",)))
    return _around(node, scope, made, [], triples, tuple(node.input[:2]))


def _pooled_last(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    rank = len(scope.shape(node.input[0]))
    front, back = _between(node, "front"), _between(node, "back")
    pooled = helper.make_node("MaxPool", [front], [back])
    pooled.attribute.extend(_kept(node, (*POOL, "dilations")))
    return [
        helper.make_node("Transpose", node.input[:1], [front], perm=_to_front(rank)),
        pooled,
        helper.make_node("Transpose", [back], node.output[:1], perm=_to_back(rank)),
    ]


# --- ai.onnx.ml


def _rows(node: NodeProto, scope: Scope) -> tuple[int, int]:
    """Return how many samples the first input has, and how many features."""
    *outer, features = scope.shape(node.input[0])
    return math.prod(outer), features


def _classified(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    """Say what a classifier's labels and scores are."""
    rows, _ = _rows(node, scope)
    texts = _listed(node, "classlabels_strings")
    numbers = _listed(node, "classlabels_int64s") + _listed(node, "classlabels_ints")
    _floating(scope, node.output[0], rows, element=TensorProto.STRING if texts else TensorProto.INT64)
    if len(node.output) > 1:
        _floating(scope, node.output[1], rows, texts or numbers)
    return []


def _regressed(targets: str) -> Rewriting:
    """Say what a regressor returns: as many numbers as this attribute says."""

    def rewrite(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
        _floating(scope, node.output[0], _rows(node, scope)[0], max(_integer(node, targets, 1), 1))
        return []

    return rewrite


def _machine(outputs: Rewriting, *stored: str) -> Rewriting:
    """Multiply each sample by every list of numbers that a linear or support vector machine stores."""

    def rewrite(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
        outputs(node, scope)
        rows, _ = _rows(node, scope)
        one = _floating(scope, _between(node, "rows"), rows, 1)
        made = []
        for name in stored:
            factor = _floating(scope, _between(node, name), 1, _listed(node, name))
            made.append(helper.make_node("MatMul", [one, factor], [_between(node, f"{name}/product")]))
        return made

    return rewrite


def _each_to_float(node: NodeProto, _: Scope) -> Sequence[NodeProto]:
    return [helper.make_node("Cast", node.input[:1], node.output[:1], to=TensorProto.FLOAT)]


def _columns(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    places = _floating(scope, _between(node, "places"), scope.size(node.input[1]), element=TensorProto.INT64)
    return [helper.make_node("Gather", [node.input[0], places], node.output[:1], axis=-1)]


def _features(node: NodeProto, _: Scope) -> Sequence[NodeProto]:
    names = [_between(node, str(place)) for place in range(len(node.input))]
    casts = [
        helper.make_node("Cast", [given], [name], to=TensorProto.FLOAT)
        for given, name in zip(node.input, names, strict=True)
    ]
    return [*casts, helper.make_node("Concat", names, node.output[:1], axis=1)]


def _encoded(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    element = TensorProto.STRING
    for attribute in node.attribute:
        if attribute.name == "values_tensor":
            element = attribute.t.data_type
        elif attribute.name in {"values_floats", "values_int64s"}:
            element = TensorProto.FLOAT if attribute.floats else TensorProto.INT64
    _floating(scope, node.output[0], *scope.shape(node.input[0]), element=element)
    return []


def _one_hot(node: NodeProto, scope: Scope) -> Sequence[NodeProto]:
    categories = _listed(node, "cats_int64s") + _listed(node, "cats_strings")
    _floating(scope, node.output[0], *scope.shape(node.input[0]), categories)
    return []


REWRITINGS: Final[Mapping[str, Rewriting]] = {
    "com.microsoft::Attention": _attention(past=4),
    "com.microsoft::BiasGelu": _biased,
    "com.microsoft::CDist": _distances,
    "com.microsoft::DequantizeLinear": standard("DequantizeLinear", keep=("axis",)),
    "com.microsoft::DynamicQuantizeLSTM": _recurrent,
    "com.microsoft::DynamicQuantizeMatMul": _integer_product,
    "com.microsoft::FastGelu": _biased,
    "com.microsoft::FusedConv": _fused_convolution,
    "com.microsoft::FusedGemm": standard("Gemm", keep=("transA", "transB")),
    "com.microsoft::FusedMatMul": _fused_product,
    "com.microsoft::GatherND": standard("GatherND"),
    "com.microsoft::Gelu": elementwise,
    "com.microsoft::GridSample": standard("GridSample"),
    "com.microsoft::MatMulBnb4": _packed_product,
    "com.microsoft::MatMulInteger16": _integer_product,
    "com.microsoft::MatMulIntegerToFloat": _integer_product,
    "com.microsoft::MatMulNBits": _packed_product,
    "com.microsoft::MultiHeadAttention": _many_heads,
    "com.microsoft::NhwcMaxPool": _pooled_last,
    "com.microsoft::Pad": standard("Pad"),
    "com.microsoft::QAttention": _attention(past=8),
    "com.microsoft::QGemm": _quantised_gemm,
    "com.microsoft::QLinearAdd": quantised("Add", 2),
    "com.microsoft::QLinearAveragePool": quantised("AveragePool", keep=POOL),
    "com.microsoft::QLinearConcat": _joined,
    "com.microsoft::QLinearConv": quantised("Conv", 2, keep=WINDOW),
    "com.microsoft::QLinearGlobalAveragePool": quantised("GlobalAveragePool"),
    "com.microsoft::QLinearLeakyRelu": quantised("LeakyRelu"),
    "com.microsoft::QLinearMul": quantised("Mul", 2),
    "com.microsoft::QLinearSigmoid": quantised("Sigmoid"),
    "com.microsoft::QLinearSoftmax": quantised("Softmax"),
    "com.microsoft::QLinearWhere": quantised("Where", 2, first=1),
    "com.microsoft::QuantizeLinear": standard("QuantizeLinear", keep=("axis",)),
    "com.microsoft::QuickGelu": elementwise,
    "com.microsoft::RotaryEmbedding": elementwise,
    "com.microsoft::ScaledSiLU": elementwise,
    "com.microsoft::SkipLayerNormalization": _skipping,
    "com.microsoft::SkipSimplifiedLayerNormalization": _skipping,
    "com.microsoft::TransposeMatMul": _fused_product,
    "com.microsoft::Trilu": standard("Trilu"),
    "ai.onnx.ml::ArrayFeatureExtractor": _columns,
    "ai.onnx.ml::Binarizer": elementwise,
    "ai.onnx.ml::FeatureVectorizer": _features,
    "ai.onnx.ml::Imputer": elementwise,
    "ai.onnx.ml::LabelEncoder": _encoded,
    "ai.onnx.ml::LinearClassifier": _machine(_classified, "coefficients"),
    "ai.onnx.ml::LinearRegressor": _machine(_regressed("targets"), "coefficients"),
    "ai.onnx.ml::Normalizer": _each_to_float,
    "ai.onnx.ml::OneHotEncoder": _one_hot,
    "ai.onnx.ml::SVMClassifier": _machine(_classified, "coefficients", "support_vectors"),
    "ai.onnx.ml::SVMRegressor": _machine(_regressed(""), "coefficients", "support_vectors"),
    "ai.onnx.ml::Scaler": _each_to_float,
    "ai.onnx.ml::TreeEnsemble": _regressed("n_targets"),
    "ai.onnx.ml::TreeEnsembleClassifier": _classified,
    "ai.onnx.ml::TreeEnsembleRegressor": _regressed("n_targets"),
}
# Those whose work cannot be left out where a shape is unknown.
HEAVY: Final = frozenset(
    """
    com.microsoft::Attention com.microsoft::CDist com.microsoft::DynamicQuantizeLSTM
    com.microsoft::DynamicQuantizeMatMul com.microsoft::FusedConv com.microsoft::FusedGemm
    com.microsoft::FusedMatMul com.microsoft::MatMulBnb4 com.microsoft::MatMulInteger16
    com.microsoft::MatMulIntegerToFloat com.microsoft::MatMulNBits com.microsoft::MultiHeadAttention
    com.microsoft::QAttention com.microsoft::QGemm com.microsoft::QLinearConv com.microsoft::TransposeMatMul
    ai.onnx.ml::LinearClassifier ai.onnx.ml::LinearRegressor ai.onnx.ml::SVMClassifier
    ai.onnx.ml::SVMRegressor ai.onnx.ml::TreeEnsemble ai.onnx.ml::TreeEnsembleClassifier
    ai.onnx.ml::TreeEnsembleRegressor
    """.split()  # noqa: SIM905 (a table of words)
)
TREES: Final = frozenset(name for name in HEAVY if "::TreeEnsemble" in name)


def values_rewritten(node: NodeProto, scope: Scope) -> int:
    """Return how many values such a node works on: every node of every tree, for each sample."""
    worked_on = values_worked_on(node, scope)
    if node.op_type not in TREES:
        return worked_on
    _refuse_shared_branches(node)
    comparisons = sum(_listed(node, name) for name in ("nodes_modes", "membership_values"))
    return max(worked_on, _rows(node, scope)[0] * comparisons)


def _refuse_shared_branches(node: NodeProto) -> None:
    """Raise where a branch grows on two others: each of many roots could walk the same long one."""
    found = attributes(node)
    trees = found.get("nodes_treeids")
    # A runtime begins a tree wherever the number changes, though it were the number of an earlier one.
    if isinstance(trees, list) and len([*groupby(trees)]) > len(set(trees)):
        raise UnknownShapeError
    if "tree_roots" not in found:
        return
    reached: list[int] = list(found["tree_roots"])  # type: ignore[call-overload] # a list, or it does not load
    for side in ("true", "false"):
        targets, leaves = found[f"nodes_{side}nodeids"], found[f"nodes_{side}leafs"]
        pairs = zip(targets, leaves, strict=True)  # type: ignore[call-overload] # likewise
        reached += [target for target, is_leaf in pairs if not is_leaf]
    if len(set(reached)) < len(reached):
        raise UnknownShapeError
