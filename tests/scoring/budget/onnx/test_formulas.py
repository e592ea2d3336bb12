"""Formulas of operators against numbers worked out by hand, and the tables against ONNX's own list."""

from __future__ import annotations

import math

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, TensorProto, defs, helper

from scoring.budget.onnx.einsum import contraction
from scoring.budget.onnx.graph import FLOWS
from scoring.budget.onnx.operators import FORMULAS, MOVES, UNCOUNTED, WORKS
from scoring.budget.onnx.shapes import UnknownShapeError
from scoring.contracts import FREE_SHARE, FREE_VALUES_A_SAMPLE
from scoring.contracts.runtime_operators import RUNTIME_NORMALISATIONS
from tests.scoring.budget.onnx.networks import Weights, counted, floats, node, zeros

# --- Einsum


@pytest.mark.parametrize(
    ("equation", "shapes", "macs"),
    [
        pytest.param("ij,jk->ik", [(2, 3), (3, 5)], 2 * 3 * 5, id="a matrix product"),
        pytest.param(
            "ij,jk,kl->il", [(2, 3), (3, 5), (5, 7)], 2 * 3 * 5 + 2 * 5 * 7, id="from left to right"
        ),
        pytest.param(
            "ij,jk,kl->il", [(9, 8), (8, 9), (9, 1)], 9 * 8 * 9 + 9 * 9, id="dearer than from right to left"
        ),
        pytest.param(
            "ij,kl,jk->il", [(2, 3), (4, 5), (3, 4)], 2 * 3 * 4 * 5 * 2, id="an outer product first"
        ),
        pytest.param(
            "ijz,jk->ik", [(2, 3, 9), (3, 5)], 2 * 3 * 5, id="what one factor has alone is summed before"
        ),
        pytest.param("bij,bjk->bik", [(4, 2, 3), (4, 3, 5)], 4 * 2 * 3 * 5, id="a batch of products"),
        pytest.param("bij,bjk->bik", [(4, 2, 3), (1, 3, 5)], 4 * 2 * 3 * 5, id="a stretched batch"),
        pytest.param("...ij,...jk->...ik", [(4, 2, 3), (3, 5)], 4 * 2 * 3 * 5, id="an ellipsis"),
        pytest.param("ij,jk", [(2, 3), (3, 5)], 2 * 3 * 5, id="no arrow"),
        pytest.param("...ij,jk", [(4, 2, 3), (3, 5)], 4 * 2 * 3 * 5, id="an ellipsis and no arrow"),
        pytest.param("ii,ij->j", [(3, 3), (3, 5)], 3 * 5, id="a diagonal"),
        pytest.param("ij->i", [(2, 3)], 0, id="a sum alone"),
        pytest.param(" i j , j k -> i k ", [(2, 3), (3, 5)], 2 * 3 * 5, id="spaces"),
    ],
)
def test_an_einsum_is_contracted_two_factors_at_a_time(
    equation: str, shapes: list[tuple[int, ...]], macs: int
) -> None:
    assert contraction(equation, shapes) == macs


@pytest.mark.parametrize("equation", ["ij->i", "ij,jk,kl->il", "ijk,jk->ik"])
def test_an_einsum_of_other_factors_is_unknown(equation: str) -> None:
    with pytest.raises(UnknownShapeError):
        contraction(equation, [(2, 3), (3, 5)])


# --- Fourier transforms

SIGNAL = node("Reshape", ["x", "to"], ["signal"])


@pytest.mark.parametrize(("opset", "how"), [(17, {"axis": 1}), (20, {}), (17, {})])
@pytest.mark.parametrize(("parts", "real_products"), [(1, 2), (2, 4)])
def test_a_fourier_transform_takes_complex_products(
    opset: int, how: dict[str, int], parts: int, real_products: int
) -> None:
    length = 192 // parts // 3
    nodes = [SIGNAL, node("DFT", ["signal"], ["y"], **how)]

    counts = counted(nodes, {"to": np.array([3, length, parts])}, opset=opset)

    assert counts.macs == 3 * real_products * length * math.log2(length) / 2


def test_a_stated_length_is_that_of_the_transform() -> None:
    nodes = [SIGNAL, node("DFT", ["signal", "length"], ["y"])]

    counts = counted(nodes, {"to": np.array([3, 32, 2]), "length": np.array(64)})

    assert counts.macs == 3 * 4 * 64 * 6 / 2


def test_an_axis_may_be_an_input() -> None:
    nodes = [SIGNAL, node("DFT", ["signal", "", "axis"], ["y"])]

    counts = counted(nodes, {"to": np.array([16, 6, 2]), "axis": np.array(0)})

    assert counts.macs == 6 * 4 * 16 * 4 / 2


def test_an_axis_that_the_picture_chooses_is_named() -> None:
    nodes = [
        SIGNAL,
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Cast", ["s"], ["axis"], to=TensorProto.INT64),
        node("DFT", ["signal", "", "axis"], ["y"]),
    ]

    assert counted(nodes, {"to": np.array([16, 6, 2])}).uncounted_ops == ("DFT (shape unknown)",)


@pytest.mark.parametrize("length", [{"window": zeros(16)}, {"window": zeros(16), "length": np.array(16)}])
def test_each_frame_is_transformed(length: Weights) -> None:
    nodes = [SIGNAL, node("STFT", ["signal", "step", *length], ["y"])]

    counts = counted(nodes, {"to": np.array([1, 192, 1]), "step": np.array(8), **length})

    frames = (192 - 16) // 8 + 1
    assert (counts.macs, counts.uncounted_ops) == (frames * 2 * 16 * 4 / 2, ())


# --- others


def test_a_determinant_eliminates() -> None:
    assert counted([node("Det", ["x"], ["y"])]).macs == 3 * math.ceil(8**3 / 3)


def test_a_grid_is_a_product_with_its_matrix() -> None:
    nodes = [node("AffineGrid", ["theta", "size"], ["y"])]

    counts = counted(nodes, {"theta": zeros(1, 2, 3), "size": np.array([1, 3, 8, 8])})

    assert counts.macs == 8 * 8 * 2 * 3


@pytest.mark.parametrize("opset", [12, 18, 21, 23])
@pytest.mark.parametrize(
    "defined",
    [
        node("MeanVarianceNormalization", ["x"], ["z"]),
        node("GroupNormalization", ["x", "scale", "bias"], ["z"], num_groups=1),
        node("GreaterOrEqual", ["x", "one"], ["z"]),
        node("LessOrEqual", ["x", "one"], ["z"]),
    ],
    ids=lambda defined: defined.op_type,
)
def test_a_product_after_an_operator_that_a_function_defines_counts(defined: NodeProto, opset: int) -> None:
    if not defs.has(defined.op_type, opset, ""):
        pytest.skip("this version has no such operator")
    nodes = [defined, node("Cast", ["z"], ["c"], to=TensorProto.FLOAT), node("MatMul", ["c", "w"], ["y"])]
    weights = {"scale": zeros(3), "bias": zeros(3), "one": zeros(1), "w": zeros(8, 5)}

    assert counted(nodes, weights, opset=opset).macs == 3 * 8 * 8 * 5


# --- work on each value

WIDE = node("Tile", ["x", "times"], ["t0"])
MILLION = {"times": np.array([1, 1, 64, 64])}
VALUES = 3 * 512 * 512


def relus(many: int) -> list[NodeProto]:
    return [node("Relu", [f"t{place}"], [f"t{place + 1}"]) for place in range(many)]


def test_a_little_work_on_each_value_is_free() -> None:
    assert counted([WIDE, *relus(1)], MILLION).macs == 0


def test_much_work_on_each_value_counts() -> None:
    assert counted([WIDE, *relus(10)], MILLION).macs == 10 * VALUES - FREE_VALUES_A_SAMPLE


def test_work_is_free_up_to_a_share_of_the_products() -> None:
    product = node("Conv", ["x", "w"], ["y"])
    products = 10_000 * 6 * 6 * 27

    macs = counted([product, WIDE, *relus(10)], {**MILLION, "w": zeros(10_000, 3, 3, 3)}).macs

    assert macs == products + 10 * VALUES - FREE_SHARE * products


def test_work_is_that_of_one_sample() -> None:
    assert counted([WIDE, *relus(10)], MILLION, batches=(4,)).macs == 10 * VALUES - FREE_VALUES_A_SAMPLE


def test_a_product_of_copies_that_are_summed_counts() -> None:
    """Neither factor grows: both were copied to the size of all pairs before."""
    nodes = [
        node("Reshape", ["x", "row"], ["r"]),
        node("Reshape", ["x", "column"], ["c"]),
        node("Concat", ["r"] * 20_000, ["rows"], axis=0),
        node("Slice", ["big", "none", "end", "none"], ["other"]),
        node("Add", ["other", "r"], ["factor"]),
        node("Mul", ["rows", "factor"], ["m"]),
        node("ReduceSum", ["m"], ["y"]),
    ]
    weights = {
        "row": np.array([1, 192]),
        "column": np.array([192, 1]),
        "big": zeros(20_000, 192),
        "none": np.array([0]),
        "end": np.array([20_000]),
    }

    assert counted(nodes, weights).macs == 3 * 20_000 * 192 - FREE_VALUES_A_SAMPLE


def body() -> GraphProto:
    return helper.make_graph(
        [node("Relu", ["v"], ["v2"]), node("Identity", ["c"], ["c2"])],
        "body",
        [
            floats("i", TensorProto.INT64, []),
            floats("c", TensorProto.BOOL, []),
            floats("v", TensorProto.FLOAT, None),
        ],
        [floats("c2", TensorProto.BOOL, []), floats("v2", TensorProto.FLOAT, None)],
    )


@pytest.mark.parametrize("turns", [10, 1_000_000])
def test_work_in_each_turn_of_a_loop_counts(turns: int) -> None:
    loop = node("Loop", ["turns", "", "t0"], ["y"], body=body())

    macs = counted([WIDE, loop], {**MILLION, "turns": np.array(turns)}).macs

    assert macs == turns * VALUES - FREE_VALUES_A_SAMPLE


def test_work_on_constants_is_done_once_and_free() -> None:
    nodes = [*relus(10), node("ReduceMax", ["t10"], ["m"]), node("Mul", ["x", "m"], ["y"])]

    assert counted(nodes, {"t0": zeros(1, 3, 512, 512)}).macs == 0


def test_moving_values_is_free() -> None:
    nodes = [WIDE, *(node("Transpose", [f"t{place}"], [f"t{place + 1}"]) for place in range(10))]

    assert counted(nodes, MILLION).macs == 0


@pytest.mark.parametrize("operator", ["ScatterElements", "ScatterND"])
@pytest.mark.parametrize(("reduction", "worked_on"), [("none", 0), ("mul", VALUES), ("add", VALUES)])
def test_scattering_works_on_values_where_it_combines_them(
    operator: str, reduction: str, worked_on: int
) -> None:
    scatters = [
        node(operator, [f"t{place}", "places", "nothing"], [f"t{place + 1}"], reduction=reduction)
        for place in range(10)
    ]
    last = 1 if operator == "ScatterElements" else 4
    places = np.zeros((1, 1, 1, last if last == 4 else 1), np.int64)
    nothing = zeros(1, 1, 1, 1) if last == 1 else zeros(1, 1, 1)

    macs = counted([WIDE, *scatters], {**MILLION, "places": places, "nothing": nothing}).macs

    assert macs == max(10 * worked_on - FREE_VALUES_A_SAMPLE, 0)


# --- tables


def test_every_operator_of_the_standard_has_its_place() -> None:
    known = {schema.name for schema in defs.get_all_schemas_with_history() if schema.domain == ""}

    assert known | RUNTIME_NORMALISATIONS == {*FORMULAS, *MOVES, *WORKS, *UNCOUNTED, *FLOWS}


def test_no_operator_has_two_places() -> None:
    places = [*FORMULAS, *MOVES, *WORKS, *UNCOUNTED, *FLOWS]

    assert len(places) == len(set(places))
