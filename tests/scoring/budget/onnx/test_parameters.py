"""Weights that a graph packs, unpacks, generates or repeats, and the tables that are none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from onnx import NodeProto, SparseTensorProto, TensorProto, helper, numpy_helper

from scoring.budget.onnx.parameters import FREE_VALUES
from tests.scoring.budget.onnx.networks import Weights, counted, node, zeros

N = 2**16
"""Packed numbers: as pointers they are free together, as bytes or nibbles they are not."""
TO_FLOAT = node("Cast", ["i"], ["w"], to=TensorProto.FLOAT)
USE = node("Mul", ["w", "s"], ["y"])
PIXEL = node("ReduceMax", ["x"], ["s"], keepdims=0)


def parameters(nodes: Sequence[NodeProto], weights: Weights, *, opset: int = 23) -> int:
    return counted([PIXEL, *nodes], weights, opset=opset).parameters


def packed(dtype: type = np.uint64, count: int = N) -> np.ndarray:
    return np.arange(count, dtype=dtype)


# --- integers that hold several weights


@pytest.mark.parametrize(
    ("steps", "others", "in_each"),
    [
        pytest.param(
            [node("BitShift", ["p", "by"], ["i"], direction="RIGHT")], [8], 8, id="shifted by bytes"
        ),
        pytest.param(
            [node("BitShift", ["p", "by"], ["i"], direction="RIGHT")], [0, 8, 16], 8, id="by some bytes"
        ),
        pytest.param(
            [node("BitShift", ["p", "by"], ["i"], direction="RIGHT")], [4], 16, id="shifted by nibbles"
        ),
        pytest.param([node("BitwiseAnd", ["p", "by"], ["i"])], [255], 8, id="masked by bytes"),
        pytest.param([node("BitwiseAnd", ["by", "p"], ["i"])], [15], 16, id="masked by nibbles"),
        pytest.param([node("Mod", ["p", "by"], ["i"])], [256], 8, id="the rest of bytes"),
        pytest.param([node("Mod", ["p", "by"], ["i"])], [16], 16, id="the rest of nibbles"),
        pytest.param([node("Div", ["p", "by"], ["i"])], [2], 64, id="halved"),
        pytest.param([node("Add", ["p", "by"], ["i"])], [1], 8, id="added to"),
        pytest.param([node("Identity", ["p"], ["i"])], [1], 8, id="only cast"),
        pytest.param(
            [node("Reshape", ["p", "to"], ["q"]), node("Mod", ["q", "by"], ["i"])],
            [16],
            16,
            id="moved before",
        ),
        pytest.param(
            [
                node("Cast", ["p"], ["q"], to=TensorProto.INT64),
                node("Cast", ["q"], ["i"], to=TensorProto.UINT64),
            ],
            [1],
            8,
            id="cast to and fro",
        ),
        pytest.param(
            [
                node("BitShift", ["p", "byte"], ["q"], direction="RIGHT"),
                node("BitwiseAnd", ["q", "by"], ["i"]),
            ],
            [15],
            16,
            id="nibbles of bytes",
        ),
    ],
)
def test_a_wide_integer_counts_the_weights_it_can_hold(
    steps: list[NodeProto], others: list[int], in_each: int
) -> None:
    weights = {
        "p": packed(),
        "by": np.array(others, np.uint64).reshape(-1, *[1] * (len(others) > 1)),
        "byte": np.array(8, np.uint64),
        "to": np.array([-1]),
    }

    # The few other integers count as well.
    assert parameters([*steps, TO_FLOAT, USE], weights) // N == in_each


def test_a_shift_that_is_computed_is_taken_for_one_by_nibbles() -> None:
    nodes = [
        node("Add", ["by", "by"], ["twice"]),
        node("BitShift", ["p", "twice"], ["i"], direction="RIGHT"),
        TO_FLOAT,
        USE,
    ]

    assert parameters(nodes, {"p": packed(), "by": np.array([4], np.uint64)}) // N == 16


@pytest.mark.parametrize(("dtype", "in_each"), [(np.uint8, 2), (np.uint16, 4), (np.uint32, 8)])
def test_nibbles_are_counted_in_integers_of_every_width(dtype: type, in_each: int) -> None:
    nodes = [node("BitwiseAnd", ["p", "mask"], ["i"]), TO_FLOAT, USE]

    assert (
        parameters(nodes, {"p": zeros(2 * N, dtype=dtype), "mask": np.array([15], dtype)}) // (2 * N)
        == in_each
    )


def test_packed_weights_count_even_if_the_picture_is_mixed_in() -> None:
    nodes = [
        node("Cast", ["s"], ["anything"], to=TensorProto.UINT64),
        node("Mul", ["anything", "nought"], ["none"]),
        node("Add", ["p", "none"], ["q"]),
        node("BitShift", ["q", "by"], ["i"], direction="RIGHT"),
        TO_FLOAT,
        USE,
    ]
    weights = {"p": packed(), "nought": np.array(0, np.uint64), "by": np.array(8, np.uint64)}

    assert parameters(nodes, weights) // N == 8


def test_packed_weights_in_a_list_count() -> None:
    constant = node("Constant", [], ["p"], value_ints=[1] * N)

    assert parameters([constant, node("Identity", ["p"], ["i"]), TO_FLOAT, USE], {}) // N == 8


def test_packed_weights_inside_a_branch_count() -> None:
    inner = helper.make_graph(
        [node("Identity", ["p"], ["i"]), TO_FLOAT],
        "inner",
        [],
        [helper.make_tensor_value_info("w", TensorProto.FLOAT, None)],
    )
    nodes = [
        node("Cast", ["s"], ["c"], to=TensorProto.BOOL),
        node("If", ["c"], ["y"], then_branch=inner, else_branch=inner),
    ]

    assert parameters(nodes, {"p": packed()}) // N == 8


def test_packed_weights_in_many_small_tensors_count() -> None:
    names = [f"p{place}" for place in range(9)]
    nodes = [node("Concat", names, ["i"], axis=0), TO_FLOAT, USE]
    weights = {name: packed(count=N // 8) + place for place, name in enumerate(names)}

    assert parameters(nodes, weights) == 9 * N


def test_the_bits_of_floats_count_if_they_are_taken_apart() -> None:
    nodes = [
        node("BitCast", ["p"], ["b"], to=TensorProto.UINT32),
        node("BitwiseAnd", ["b", "mask"], ["i"]),
        TO_FLOAT,
        USE,
    ]

    assert parameters(nodes, {"p": zeros(N), "mask": np.array([255], np.uint32)}, opset=26) == 4 * N


def test_wide_floats_count_twice() -> None:
    nodes = [node("Cast", ["p"], ["w"], to=TensorProto.FLOAT), USE]

    assert parameters(nodes, {"p": zeros(5, dtype=np.float64)}) == 10


# --- integers that point


GATHERED = (node("Gather", ["table", "p"], ["w"]), USE)


def test_a_table_of_indices_is_no_weight() -> None:
    assert parameters(GATHERED, {"table": zeros(169, 3), "p": packed(np.int64, FREE_VALUES)}) == 169 * 3


def test_more_indices_than_a_table_needs_are_weights() -> None:
    """A codebook of a few values, and as many choices from it as there are weights."""
    found = parameters(GATHERED, {"table": zeros(256), "p": packed(np.int64, FREE_VALUES + 1)})

    assert found == 256 + FREE_VALUES + 1


def test_the_same_table_in_each_layer_counts_once() -> None:
    nodes = [node("Gather", ["table", f"p{layer}"], [f"w{layer}"]) for layer in range(5)]
    weights = {f"p{layer}": packed(np.int64) for layer in range(5)}

    assert parameters(nodes, {"table": zeros(169), **weights}) == 169


def test_other_tables_in_each_layer_count_together() -> None:
    nodes = [node("Gather", ["table", f"p{layer}"], [f"w{layer}"]) for layer in range(5)]
    weights = {f"p{layer}": packed(np.int64) + layer for layer in range(5)}

    assert parameters(nodes, {"table": zeros(169), **weights}) == 169 + 5 * N


def test_wide_biases_of_quantised_models_are_one_weight_each() -> None:
    nodes = [node("DequantizeLinear", ["p", "scale"], ["w"]), USE]
    found = parameters(nodes, {"p": packed(np.int32, FREE_VALUES + 1), "scale": zeros()})

    assert found == FREE_VALUES + 1 + 1


# --- weights that the graph makes of its constants

LARGE = 200_000


def test_a_float_that_is_split_in_three_counts_three_times() -> None:
    nodes = [
        node("Div", ["p", "byte"], ["high"]),
        node("Floor", ["high"], ["a"]),
        node("Ceil", ["high"], ["b"]),
        node("Round", ["p"], ["c"]),
        *(node("Mul", [part, "s"], [f"y{part}"]) for part in "abc"),
    ]

    assert parameters(nodes, {"p": zeros(LARGE), "byte": np.float32(256)}) == 3 * LARGE


def split_with(pixel: NodeProto) -> list[NodeProto]:
    """Add 0 times a pixel to the weights before they are split."""
    return [
        pixel,
        node("Mul", ["s", "nought"], ["none"]),
        node("Add", ["p", "none"], ["q"]),
        node("Floor", ["q"], ["a"]),
        node("Ceil", ["q"], ["b"]),
        *(node("MatMul", ["x", part], [f"y{part}"]) for part in "ab"),
    ]


def test_split_weights_count_even_if_the_picture_is_mixed_in() -> None:
    nodes = split_with(node("ReduceMax", ["x"], ["s"], keepdims=0))
    weights = {"p": zeros(8, LARGE), "nought": np.float32(0)}

    assert counted(nodes, weights, batches=(2, 1)).parameters > 2 * 8 * LARGE


def test_what_is_rounded_for_each_sample_is_no_weight() -> None:
    nodes = [node("Tile", ["x", "times"], ["t"]), node("Floor", ["t"], ["y"])]

    assert counted(nodes, {"times": np.array([1, 1, 64, 64])}, batches=(2, 1)).parameters == 0


def test_drawn_weights_count() -> None:
    nodes = [node("RandomNormal", [], ["w"], shape=[LARGE, 2], seed=1.0), USE]

    assert parameters(nodes, {}) == 2 * LARGE


def test_listed_weights_count() -> None:
    nodes = [
        node("Range", ["none", "end", "one"], ["r"]),
        node("Sin", ["r"], ["w"]),
        USE,
    ]
    numbers = {"none": np.float32(0), "end": np.float32(2 * LARGE), "one": np.float32(1)}

    assert parameters(nodes, numbers) == 2 * LARGE


@pytest.mark.parametrize(
    "made",
    [
        pytest.param([node("Transpose", ["p"], ["w"])], id="transposed"),
        pytest.param([node("Mul", ["p", "two"], ["w"])], id="scaled"),
        pytest.param([node("Expand", ["p", "wide"], ["w"])], id="repeated"),
        pytest.param([node("Gather", ["p", "places"], ["w"])], id="gathered"),
        pytest.param([node("MatMul", ["p", "q"], ["w"])], id="multiplied"),
        pytest.param([node("Round", ["p"], ["w"])], id="rounded"),
        pytest.param([node("Sigmoid", ["p"], ["w"])], id="squashed"),
        pytest.param([node("ConstantOfShape", ["wide"], ["w"])], id="zeros"),
        pytest.param(
            [node("Equal", ["row", "column"], ["c"]), node("Cast", ["c"], ["w"], to=1)], id="a mask"
        ),
    ],
)
def test_a_constant_that_is_laid_out_anew_counts_as_it_is_stored(made: list[NodeProto]) -> None:
    weights = {
        "p": zeros(1000, 3),
        "q": zeros(3, 1000),
        "two": np.float32(2),
        "wide": np.array([500, 1000, 3]),
        "places": zeros(500, 500, dtype=np.int64),
        "row": zeros(1, 1000),
        "column": zeros(1000, 1),
    }
    stored = 3000 + 3000 + 1 + 1000 + 1000

    assert parameters([*made, USE], weights) == stored


def test_a_sparse_constant_counts_its_values() -> None:
    sparse = SparseTensorProto(dims=[1000, 1000])
    sparse.values.CopyFrom(numpy_helper.from_array(zeros(4), "values"))
    sparse.indices.CopyFrom(numpy_helper.from_array(np.arange(4)))

    assert parameters([node("Constant", [], ["w"], sparse_value=sparse), USE], {}) == 4


def test_the_same_weight_unpacked_twice_counts_once() -> None:
    """Exporters write a `DequantizeLinear` for each use of a shared weight."""
    nodes = [
        *(node("DequantizeLinear", ["p", "scale"], [f"w{use}"]) for use in range(3)),
        *(node("Mul", [f"w{use}", "s"], [f"y{use}"]) for use in range(3)),
    ]

    assert parameters(nodes, {"p": zeros(LARGE, dtype=np.int8), "scale": zeros()}) == LARGE + 1


def test_the_same_rounding_twice_counts_once() -> None:
    nodes = [
        *(node("Round", ["p"], [f"w{use}"]) for use in range(3)),
        *(node("Mul", [f"w{use}", "s"], [f"y{use}"]) for use in range(3)),
    ]

    assert parameters(nodes, {"p": zeros(LARGE)}) == LARGE


def test_a_grid_of_positions_is_no_weight() -> None:
    nodes = [
        node("Range", ["none", "end", "one"], ["r"]),
        node("Sin", ["r"], ["w"]),
        USE,
    ]
    numbers = {"none": np.float32(0), "end": np.float32(LARGE), "one": np.float32(1)}

    assert parameters(nodes, numbers) == 3
