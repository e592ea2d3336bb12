"""Operators of ONNX Runtime's own: graphs that it wrote count as those it was given, others by formula."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as runtime
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from scoring.budget.onnx.counter import ModelCounts, count_model
from scoring.budget.onnx.operators import UNKNOWN_PRODUCTS
from scoring.budget.onnx.rewritten import HEAVY, REWRITINGS
from scoring.contracts.runtime_operators import RUNTIME_OPERATORS, qualified
from tests.scoring.budget.onnx.networks import SHAPE, Weights, network, zeros

# Products of the two networks below, for one sample of (3, 8, 8).
PIXELS = 64
CONVOLUTIONS = PIXELS * (16 * 3 * 9 + 16 * 16 * 9 + 16 * 9) + 16 * 10
TRANSFORMER = 64 * (3 * 32 + 3 * 32 * 32 + 32 * 32) + 2 * 64 * 64 * 32 + 64 * 2 * 32 * 64 + 32 * 10
RUNTIME = "com.microsoft"
CLASSICAL = "ai.onnx.ml"


def counted(nodes: Sequence[NodeProto], weights: Weights | None = None, *, opset: int = 17) -> ModelCounts:
    model = network(nodes, weights, opset=opset)
    for domain, version in ((RUNTIME, 1), (CLASSICAL, 3)):
        model.opset_import.add(domain=domain, version=version)
    return count_model(model, SHAPE)


def own(operator: str, inputs: str, outputs: str = "y", **attributes: object) -> NodeProto:
    return helper.make_node(operator, inputs.split(), outputs.split(), domain=RUNTIME, **attributes)


def node(operator: str, inputs: str, outputs: str, **attributes: object) -> NodeProto:
    return helper.make_node(operator, inputs.split(), outputs.split(), **attributes)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)


# --- graphs that ONNX Runtime wrote


def convolutions() -> ModelProto:
    """Return a small network with everything around its convolutions that the runtime fuses."""
    nodes = [
        node("Conv", "x a", "c1", pads=[1] * 4),
        node("Relu", "c1", "r1"),
        node("Conv", "r1 b", "c2", pads=[1] * 4),
        node("LeakyRelu", "c2", "l2", alpha=0.1),
        node("Conv", "l2 d", "c3", pads=[1] * 4, group=16),
        node("Sigmoid", "c3", "s3"),
        node("Mul", "c3 s3", "m3"),
        node("Add", "m3 r1", "sum"),
        node("Concat", "sum r1", "both", axis=1),
        node("AveragePool", "both", "pooled", kernel_shape=[2, 2], strides=[2, 2]),
        node("Split", "pooled", "half rest", axis=1),
        node("Add", "half rest", "whole"),
        node("GlobalAveragePool", "whole", "mean"),
        node("Flatten", "mean", "flat"),
        node("Gemm", "flat w bias", "y"),
    ]
    weights = {"a": noise(16, 3, 3, 3), "b": noise(16, 16, 3, 3), "d": noise(16, 1, 3, 3)}
    return network(nodes, {**weights, "w": noise(16, 10), "bias": noise(10)}, opset=17)


def transformer() -> ModelProto:
    """Return one block of a transformer of a token a pixel, written as exporters do."""
    nodes = [
        node("Reshape", "x to", "turned"),
        node("Transpose", "turned", "tokens", perm=[0, 2, 1]),
        node("MatMul", "tokens embed", "e"),
        *(node("MatMul", f"e w{name}", name) for name in "qkv"),
        node("Transpose", "k", "kt", perm=[0, 2, 1]),
        node("MatMul", "q kt", "scores"),
        node("Softmax", "scores", "shares", axis=-1),
        node("MatMul", "shares v", "mixed"),
        node("MatMul", "mixed wo", "o"),
        node("Add", "o e", "skipped"),
        node("LayerNormalization", "skipped scale shift", "normal", axis=-1),
        node("MatMul", "normal up", "u"),
        node("Add", "u ub", "ua"),
        node("Div", "ua root", "ud"),
        node("Erf", "ud", "ue"),
        node("Add", "ue one", "u1"),
        node("Mul", "ua u1", "um"),
        node("Mul", "um half", "gelu"),
        node("MatMul", "gelu down", "d"),
        node("Add", "d normal", "last"),
        node("ReduceMean", "last", "mean", axes=[1], keepdims=0),
        node("MatMul", "mean head", "y"),
    ]
    weights = {"embed": noise(3, 32), "up": noise(32, 64), "ub": noise(64), "down": noise(64, 32)}
    weights |= {f"w{name}": noise(32, 32) for name in "qkvo"} | {"head": noise(32, 10)}
    weights |= {"scale": noise(32), "shift": noise(32), "to": np.array([0, 3, 64])}
    scalars = {"root": 2**0.5, "one": 1.0, "half": 0.5}
    return network(
        nodes, weights | {name: np.array(each, np.float32) for name, each in scalars.items()}, opset=17
    )


NETWORKS = {"convolutions": (convolutions, CONVOLUTIONS), "transformer": (transformer, TRANSFORMER)}


class Samples(CalibrationDataReader):
    """Three samples, to take ranges from."""

    def __init__(self) -> None:
        self._left: Iterator[dict[str, np.ndarray]] = iter([{"x": noise(1, *SHAPE)} for _ in range(3)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._left, None)


def written_by_the_runtime(model: ModelProto, level: str, folder: Path) -> ModelProto:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(folder / "optimised.onnx")


def quantised(model: ModelProto, how: str, folder: Path) -> ModelProto:
    source, target = folder / "float.onnx", folder / "quantised.onnx"
    onnx.save(model, source)
    if how == "dynamic":
        quantize_dynamic(source, target, weight_type=QuantType.QUInt8)
    else:
        quantize_static(source, target, Samples(), quant_format=QuantFormat[how])
    return onnx.load(target)


def is_followed(model: ModelProto, macs: int) -> bool:
    counts = count_model(model, SHAPE, (32, 1))
    return (counts.macs, counts.uncounted_ops) == (macs, ())


def domains(model: ModelProto) -> set[str]:
    return {each.domain for each in model.graph.node}


@pytest.mark.parametrize("name", NETWORKS)
def test_an_optimised_graph_counts_as_the_one_it_was_made_of(name: str, tmp_path: Path) -> None:
    build, macs = NETWORKS[name]

    optimised = written_by_the_runtime(build(), "ORT_ENABLE_EXTENDED", tmp_path)

    assert RUNTIME in domains(optimised)
    assert is_followed(build(), macs)
    assert is_followed(optimised, macs)


@pytest.mark.parametrize("level", ["", "ORT_ENABLE_EXTENDED"])
@pytest.mark.parametrize("how", ["QOperator", "QDQ", "dynamic"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_quantised_graph_counts_as_the_one_it_was_made_of(
    name: str, how: str, level: str, tmp_path: Path
) -> None:
    build, macs = NETWORKS[name]

    found = quantised(build(), how, tmp_path)
    if level:
        found = written_by_the_runtime(found, level, tmp_path)

    assert is_followed(found, macs)


def test_convolutions_with_their_channels_last_count_the_same(tmp_path: Path) -> None:
    model = quantised(convolutions(), "QOperator", tmp_path)

    last = written_by_the_runtime(model, "ORT_ENABLE_ALL", tmp_path)

    assert any(each.op_type == "QLinearConv" and each.domain == RUNTIME for each in last.graph.node)
    assert is_followed(last, CONVOLUTIONS)


# --- formulas

ROWS = [node("Flatten", "x", "f")]
TOKENS = [node("Reshape", "x to", "t")]
TO = {"to": np.array([1, 16, 12])}


def test_weights_of_four_bits_count_and_multiply_as_unpacked() -> None:
    nodes = [*ROWS, own("MatMulNBits", "f b s", K=192, N=10, bits=4, block_size=32)]

    counts = counted(nodes, {"b": zeros(10, 6, 16, dtype=np.uint8), "s": zeros(10, 6)})

    assert counts.macs == 192 * 10
    assert counts.parameters == 192 * 10 + 60


def test_weights_of_four_bits_in_another_packing_count_as_unpacked() -> None:
    nodes = [*ROWS, own("MatMulBnb4", "f b s", K=192, N=10, block_size=32, quant_type=1)]

    counts = counted(nodes, {"b": zeros(960, dtype=np.uint8), "s": zeros(60)})

    assert counts.macs == 192 * 10
    assert counts.parameters == 192 * 10 + 60


@pytest.mark.parametrize("flag", ["transBatchA", "transBatchB"])
def test_a_product_that_turns_its_batch_is_refused(flag: str) -> None:
    counts = counted([own("FusedMatMul", "x w", **{flag: 1})], {"w": zeros(8, 8)})

    assert set(counts.uncounted_ops) <= UNKNOWN_PRODUCTS
    assert counts.uncounted_ops


def test_a_fused_product_turns_its_factors() -> None:
    nodes = [own("FusedMatMul", "x w", transA=1, transB=1)]

    assert counted(nodes, {"w": zeros(5, 8)}).macs == 3 * 8 * 8 * 5


def test_attention_projects_and_attends() -> None:
    nodes = [*TOKENS, own("Attention", "t w b", num_heads=3)]

    counts = counted(nodes, TO | {"w": zeros(12, 36), "b": zeros(36)})

    assert counts.macs == 16 * 12 * 36 + 2 * 16 * 16 * 12


def test_attention_may_have_values_of_another_width() -> None:
    nodes = [*TOKENS, own("Attention", "t w b", num_heads=3, qkv_hidden_sizes=[12, 12, 24])]

    counts = counted(nodes, TO | {"w": zeros(12, 48), "b": zeros(48)})

    assert counts.macs == 16 * 12 * 48 + 16 * 16 * (12 + 24)


def test_attention_of_what_is_projected_already_attends() -> None:
    nodes = [*TOKENS, own("MultiHeadAttention", "t t t", num_heads=3)]

    assert counted(nodes, TO).macs == 2 * 16 * 16 * 12


def test_distances_count_one_product_a_pair_and_value() -> None:
    nodes = [*ROWS, own("CDist", "f w", metric="sqeuclidean")]

    assert counted(nodes, {"w": zeros(7, 192)}).macs == 7 * 192


def test_a_quantised_lstm_counts_as_a_plain_one() -> None:
    nodes = [
        *TOKENS,
        own("DynamicQuantizeLSTM", "t w r b    s z s z".replace("    ", " "), "h", hidden_size=5),
    ]
    nodes[-1].input[:] = ["t", "w", "r", "", "", "", "", "", "s", "z", "s", "z"]
    weights = {"w": zeros(1, 12, 20, dtype=np.int8), "r": zeros(1, 5, 20, dtype=np.int8)}
    scales = {"s": zeros(1), "z": zeros(1, dtype=np.int8)}

    counts = counted([*nodes, node("Identity", "h", "y")], TO | weights | scales)

    assert counts.macs == 16 * (12 + 5) * 20


def test_a_product_written_as_quantised_growth_counts() -> None:
    nodes = [
        node("QuantizeLinear", "x s z", "q"),
        node("Reshape", "q tall", "column"),
        node("Reshape", "q wide", "row"),
        own("QLinearMul", "column s z row s z s z"),
    ]
    weights = {"s": np.array(1, np.float32), "z": np.array(0, np.uint8)}

    counts = counted(nodes, weights | {"tall": np.array([192, 1]), "wide": np.array([1, 192])})

    assert counts.macs == 192 * 192


@pytest.mark.parametrize("operator", ["FusedConv", "QGemm", "MatMulNBits", "Attention"])
def test_a_product_of_unknown_shape_is_refused(operator: str) -> None:
    inputs = "unknown w s z w s z" if operator == "QGemm" else "unknown w s"
    nodes = [node("NonZero", "x", "unknown"), own(operator, inputs, num_heads=1)]

    counts = counted(nodes, {"w": zeros(3, 3), "s": zeros(1), "z": zeros(1)})

    assert counts.uncounted_ops == (f"{RUNTIME}::{operator} (shape unknown)",)
    assert set(counts.uncounted_ops) <= UNKNOWN_PRODUCTS


def test_values_in_between_hide_none_of_the_graph() -> None:
    """A graph may name a value as the rewriting would: its own keeps its shape."""
    nodes = [
        node("Flatten", "x", "a/product"),
        own("FusedConv", "x w", "a", pads=[1] * 4),
        node("MatMul", "a/product v", "y"),
    ]

    counts = counted(nodes, {"w": zeros(2, 3, 3, 3), "v": zeros(192, 7)})

    assert counts.macs == 64 * 2 * 27 + 192 * 7


# --- ai.onnx.ml


def tree(nodes: int, **others: object) -> NodeProto:
    """Return a classifier of one tree: a chain of comparisons."""
    numbers = list(range(nodes))
    return helper.make_node(
        "TreeEnsembleClassifier",
        ["f"],
        ["label", "y"],
        domain=CLASSICAL,
        nodes_treeids=[0] * nodes,
        nodes_nodeids=numbers,
        nodes_featureids=[0] * nodes,
        nodes_modes=["BRANCH_LEQ"] * (nodes - 1) + ["LEAF"],
        nodes_values=[0.5] * nodes,
        nodes_hitrates=[1.0] * nodes,
        nodes_truenodeids=[*numbers[1:], 0],
        nodes_falsenodeids=[*numbers[1:], 0],
        class_treeids=[0],
        class_nodeids=[nodes - 1],
        class_ids=[0],
        class_weights=[1.0],
        classlabels_int64s=[0, 1],
        **others,
    )


def test_a_tree_has_a_weight_a_threshold_and_a_leaf() -> None:
    counts = counted([*ROWS, tree(100)])

    assert (counts.parameters, counts.macs, counts.uncounted_ops) == (100 + 1, 0, ())


def test_a_forest_works_on_a_value_a_node() -> None:
    nodes = 1_300_000
    free = 1_048_576

    counts = counted([*ROWS, tree(nodes)])

    # `Flatten` moves; what exceeds the free values counts.
    assert counts.macs == nodes - free
    # Beyond what is free, numbers that point count too: four lists, how a node compares, and what nobody reads.
    assert counts.parameters > nodes * 6


def test_a_tree_that_begins_more_than_once_is_refused() -> None:
    forest = tree(4)
    trees = next(each for each in forest.attribute if each.name == "nodes_treeids")
    trees.ints[:] = [0, 1, 0, 1]

    assert counted([*ROWS, forest]).uncounted_ops == (f"{CLASSICAL}::TreeEnsembleClassifier (shape unknown)",)


def test_roots_that_share_a_branch_are_refused() -> None:
    shared = helper.make_node(
        "TreeEnsemble",
        ["f"],
        ["y"],
        domain=CLASSICAL,
        tree_roots=[0, 0],
        nodes_featureids=[0],
        nodes_truenodeids=[0],
        nodes_falsenodeids=[0],
        nodes_trueleafs=[1],
        nodes_falseleafs=[1],
        nodes_modes=helper.make_tensor("modes", TensorProto.UINT8, [1], [0]),
        nodes_splits=helper.make_tensor("splits", TensorProto.FLOAT, [1], [0.5]),
    )

    assert counted([*ROWS, shared]).uncounted_ops == (f"{CLASSICAL}::TreeEnsemble (shape unknown)",)


def test_a_linear_classifier_multiplies_its_coefficients() -> None:
    linear = helper.make_node(
        "LinearClassifier",
        ["f"],
        ["label", "y"],
        domain=CLASSICAL,
        coefficients=[0.5] * 192 * 3,
        intercepts=[0.0] * 3,
        classlabels_ints=[0, 1, 2],
    )

    counts = counted([*ROWS, linear])

    assert (counts.macs, counts.parameters) == (192 * 3, 192 * 3 + 3)


def test_support_vectors_are_multiplied_and_counted() -> None:
    machine = helper.make_node(
        "SVMRegressor",
        ["f"],
        ["y"],
        domain=CLASSICAL,
        kernel_type="RBF",
        n_supports=9,
        support_vectors=[0.5] * 192 * 9,
        coefficients=[0.1] * 9,
        kernel_params=[0.1, 0.0, 0.0],
        rho=[0.0],
    )

    counts = counted([*ROWS, machine])

    assert (counts.macs, counts.parameters) == (192 * 9 + 9, 192 * 9 + 9 + 3 + 1)


# --- tables


def kernels(domain: str) -> set[str]:
    definitions = runtime.get_all_opkernel_def()
    return {
        each.op_name
        for each in definitions
        if (each.domain, each.provider) == (domain, "CPUExecutionProvider")
    }


def test_every_accepted_operator_is_counted() -> None:
    accepted = {qualified(domain, name) for domain, names in RUNTIME_OPERATORS.items() for name in names}

    assert accepted == REWRITINGS.keys()
    assert accepted >= HEAVY


@pytest.mark.parametrize("domain", RUNTIME_OPERATORS)
def test_the_installed_runtime_runs_every_accepted_operator(domain: str) -> None:
    assert kernels(domain) >= RUNTIME_OPERATORS[domain]


def test_whatever_multiplies_is_refused_where_its_shape_is_unknown() -> None:
    """A rewriting with a product that the table of heavy ones forgets would count as nothing."""
    source = {
        name for name, each in REWRITINGS.items() if "MatMul" in name or "Conv" in name or "Gemm" in name
    }

    assert source <= HEAVY
