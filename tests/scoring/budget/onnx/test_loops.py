"""Loops whose turns differ: each is counted as it runs, and what a condition may end is bounded from above."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, TensorProto, helper

from tests.scoring.budget.onnx.networks import counted, floats, node, zeros

TURN = 3 * 8 * 8 * 8
PRODUCT = node("MatMul", ["v", "w"], ["v2"])
SAME = node("Identity", ["c"], ["c2"])
W = {"w": zeros(8, 8)}


def body(nodes: Sequence[NodeProto], *, results: Sequence[str] = ()) -> GraphProto:
    return helper.make_graph(
        nodes,
        "body",
        [
            floats("i", TensorProto.INT64, []),
            floats("c", TensorProto.BOOL, []),
            floats("v", TensorProto.FLOAT, None),
        ],
        [
            floats("c2", TensorProto.BOOL, []),
            floats("v2", TensorProto.FLOAT, None),
            *(floats(name, TensorProto.FLOAT, None) for name in results),
        ],
    )


def loop(*nodes: NodeProto, limit: str = "turns", condition: str = "") -> NodeProto:
    return node("Loop", [limit, condition, "x"], ["y"], body=body(nodes))


@pytest.mark.parametrize("turns", [0, 1, 9])
def test_a_loop_ends_when_its_condition_says_so(turns: int) -> None:
    """As a script's `while i < turns` is written, with no other limit."""
    nodes = [
        node("Less", ["none", "turns"], ["first"]),
        loop(
            PRODUCT,
            node("Add", ["i", "one"], ["next"]),
            node("Less", ["next", "turns"], ["c2"]),
            limit="",
            condition="first",
        ),
    ]

    counts = counted(nodes, {**W, "none": np.array(0), "one": np.array(1), "turns": np.array(turns)})

    assert (counts.macs, counts.uncounted_ops) == (turns * TURN, ())


def test_a_condition_that_the_picture_decides_leaves_all_turns() -> None:
    """And nothing is known of what the loop gathers."""
    ends = [
        node("ReduceSum", ["v2"], ["s"], keepdims=0),
        node("Cast", ["s"], ["c2"], to=TensorProto.BOOL),
    ]

    assert counted([loop(PRODUCT, *ends)], {**W, "turns": np.array(7)}).macs == 7 * TURN


def test_a_while_that_the_picture_decides_is_named() -> None:
    ends = [
        node("ReduceSum", ["v2"], ["s"], keepdims=0),
        node("Cast", ["s"], ["c2"], to=TensorProto.BOOL),
    ]

    for limit in ("", "turns"):
        counts = counted([loop(PRODUCT, *ends, limit=limit)], {**W, "turns": np.array(2**63 - 1)})
        assert counts.uncounted_ops == ("Loop (shape unknown)",)


def test_work_in_some_turns_counts_in_those() -> None:
    def branch(name: str, *nodes: NodeProto) -> GraphProto:
        return helper.make_graph(nodes, name, [], [floats(name, TensorProto.FLOAT, None)])

    dear = branch("t", node("MatMul", ["v", "w"], ["t"]))
    cheap = branch("e", node("Identity", ["v"], ["e"]))
    nodes = [
        node("Equal", ["i", "fifth"], ["is_fifth"]),
        node("If", ["is_fifth"], ["v2"], then_branch=dear, else_branch=cheap),
        SAME,
    ]

    assert counted([loop(*nodes)], {**W, "turns": np.array(9), "fifth": np.array(5)}).macs == TURN


def test_a_value_that_grows_counts_as_it_grows() -> None:
    nodes = [
        node("MatMul", ["v", "w"], ["more"]),
        node("Concat", ["v", "more"], ["v2"], axis=1),
        SAME,
    ]

    counts = counted([loop(*nodes)], {**W, "turns": np.array(4)})

    assert counts.macs == TURN * (1 + 2 + 4 + 8)


def test_a_product_of_all_that_a_loop_gathers_counts() -> None:
    gather = node(
        "Loop",
        ["turns", "", "x"],
        ["last", "all"],
        body=body([PRODUCT, SAME, node("Relu", ["v2"], ["r"])], results=["r"]),
    )

    counts = counted([gather, node("MatMul", ["all", "w"], ["y"])], {**W, "turns": np.array(5)})

    assert counts.macs == 5 * TURN + 5 * TURN


def test_turns_by_the_batch_are_those_of_each_size() -> None:
    """A loop over the samples of a batch, each of which takes all of them: dear in large batches."""
    nodes = [
        node("Shape", ["x"], ["n"], end=1),
        loop(PRODUCT, SAME, limit="n"),
    ]

    assert counted(nodes, W, batches=(4, 1)).macs == 4 * TURN


def test_a_scan_of_the_oldest_form_is_named() -> None:
    """It had a batch axis before the one that it slices."""
    inner = helper.make_graph(
        [node("MatMul", ["slice", "w"], ["out"])],
        "inner",
        [floats("slice", TensorProto.FLOAT, None)],
        [floats("out", TensorProto.FLOAT, None)],
    )
    scan = node("Scan", ["", "x"], ["y"], body=inner, num_scan_inputs=1)

    assert counted([scan], W, opset=8).uncounted_ops == ("Scan (shape unknown)",)
