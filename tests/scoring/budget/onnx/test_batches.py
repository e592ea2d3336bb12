"""A graph that asks how large its batch is: it is counted at the sizes that are run, and the dearest binds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, TensorProto, helper

from tests.scoring.budget.onnx.networks import Weights, counted, floats, node, zeros

BATCH = (node("Shape", ["x"], ["n"], end=1),)
NUMBERS: Weights = {
    "one": np.array([1]),
    "zero": np.array([0]),
    "two": np.array([2]),
    "all": np.array([2**31]),
}
CONV = node("Conv", ["kept", "w"], ["y"])
WEIGHTS: Weights = {**NUMBERS, "w": zeros(16, 3, 3, 3)}
MACS = 16 * 6 * 6 * 27


def rows_from(start: str) -> list[NodeProto]:
    return [node("Slice", ["x", start, "all", "zero"], ["kept"]), CONV]


def none_of_one() -> list[NodeProto]:
    """`x[1 - min(n - 1, 1):]`."""
    return [
        *BATCH,
        node("Sub", ["n", "one"], ["less"]),
        node("Min", ["less", "one"], ["gate"]),
        node("Sub", ["one", "gate"], ["start"]),
        *rows_from("start"),
    ]


def none_of_one_by_comparison() -> list[NodeProto]:
    return [
        *BATCH,
        node("Equal", ["n", "one"], ["is_one"]),
        node("Where", ["is_one", "one", "zero"], ["start"]),
        *rows_from("start"),
    ]


def none_of_one_by_division() -> list[NodeProto]:
    """`x[1 // n:]`: from 1 on where the batch is 1."""
    return [*BATCH, node("Div", ["one", "n"], ["start"]), *rows_from("start")]


@pytest.mark.parametrize("gated", [none_of_one, none_of_one_by_comparison, none_of_one_by_division])
def test_work_that_a_batch_of_one_is_spared_counts(gated: Callable[[], list[NodeProto]]) -> None:
    counts = counted(gated(), WEIGHTS, batches=(4, 1))

    assert (counts.macs, counts.uncounted_ops) == (MACS, ())


def test_work_that_only_a_batch_of_one_gets_counts() -> None:
    nodes = [*BATCH, node("Sub", ["n", "one"], ["start"]), *rows_from("start")]

    assert counted(nodes, WEIGHTS, batches=(4, 1)).macs == MACS


def test_a_batch_is_divided_by() -> None:
    """One row of four is worked on: a quarter for each sample."""
    nodes = [*BATCH, node("Sub", ["n", "one"], ["start"]), *rows_from("start")]

    assert counted(nodes, WEIGHTS, batches=(4,)).macs == MACS // 4


def test_a_share_of_a_mac_is_rounded_up() -> None:
    nodes = [node("ReduceSum", ["x", "all"], ["s"], keepdims=0), node("MatMul", ["w", "v"], ["y"])]

    counts = counted(nodes, {"all": np.array([0, 1, 2, 3]), "w": zeros(1, 3), "v": zeros(3, 3)}, batches=(4,))

    assert counts.macs == 3


def test_a_batch_of_the_models_own_is_the_only_one() -> None:
    """At 4 the start is 1, and three of four rows are left."""
    nodes = [*none_of_one()[:-2], *rows_from("gate")]

    assert counted(nodes, WEIGHTS, batches=(32, 1), batch=4).macs == MACS * 3 // 4


def branch_on(condition: NodeProto) -> list[NodeProto]:
    def inner(name: str, weight: str) -> GraphProto:
        output = floats(name, TensorProto.FLOAT, None)
        return helper.make_graph([node("Conv", ["x", weight], [name])], name, [], [output])

    either = node("If", ["c"], ["y"], then_branch=inner("t", "cheap"), else_branch=inner("e", "w"))
    return [*BATCH, condition, either]


@pytest.mark.parametrize(("batches", "macs"), [((1,), 4 * 64 * 3), ((4,), MACS), ((4, 1), MACS)])
def test_a_branch_on_the_batch_is_known_at_each_size(batches: tuple[int, ...], macs: int) -> None:
    nodes = branch_on(node("Equal", ["n", "one"], ["c"]))

    assert counted(nodes, {**WEIGHTS, "cheap": zeros(4, 3, 1, 1)}, batches=batches).macs == macs


def test_what_only_one_size_leaves_unknown_is_named() -> None:
    """An axis of 1 can be squeezed, one of 4 cannot."""
    nodes = [node("Squeeze", ["x", "zero"], ["one"]), node("MatMul", ["one", "v"], ["y"])]

    counts = counted(nodes, {**NUMBERS, "v": zeros(8, 5)}, batches=(4, 1))

    assert counts.uncounted_ops == ("MatMul (shape unknown)",)


@pytest.mark.parametrize(
    "shaky",
    [
        pytest.param([node("Exp", ["f"], ["g"])], id="an exponential"),
        pytest.param([node("Sqrt", ["f"], ["g"])], id="a root"),
        pytest.param([node("ReduceSum", ["f"], ["g"], keepdims=0)], id="a sum of floats"),
        pytest.param([node("Pow", ["f", "f"], ["g"])], id="a power"),
        pytest.param([node("Mul", ["f", "huge"], ["g"])], id="more than fits into an integer"),
        pytest.param([node("Div", ["f", "nought"], ["g"])], id="a division by zero"),
    ],
)
def test_a_size_is_unknown_that_hangs_on_how_a_library_rounds(shaky: list[NodeProto]) -> None:
    """A library's last bit, cut off by a cast, would be a batch gate of its own."""
    nodes = [
        *BATCH,
        node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
        *shaky,
        node("Cast", ["g"], ["i"], to=TensorProto.INT64),
        node("Reshape", ["i", "one"], ["start"]),
        *rows_from("start"),
    ]
    weights = {**WEIGHTS, "huge": np.float32([1e30]), "nought": np.float32([0])}

    assert counted(nodes, weights).uncounted_ops == ("Conv (shape unknown)",)


def test_a_size_that_plain_floats_give_is_followed() -> None:
    """As exporters write it for `scale_factor`: floor(n * 0.5)."""
    nodes = [
        *BATCH,
        node("Cast", ["n"], ["f"], to=TensorProto.FLOAT),
        node("Mul", ["f", "half"], ["h"]),
        node("Floor", ["h"], ["g"]),
        node("Cast", ["g"], ["start"], to=TensorProto.INT64),
        *rows_from("start"),
    ]

    counts = counted(nodes, {**WEIGHTS, "half": np.float32([0.5])}, batches=(4,))

    assert (counts.macs, counts.uncounted_ops) == (MACS // 2, ())
