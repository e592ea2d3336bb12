"""Values that an ONNX graph stores where nobody looks for weights."""

import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper

from scoring.sandboxed.counters.graph_parameters import FREE_VALUES, count_graph_parameters

PARTS = 8
EACH = FREE_VALUES // PARTS + 1


def model(nodes: list[NodeProto]) -> ModelProto:
    return helper.make_model(helper.make_graph(nodes, "g", [], []))


def constant(**attributes: object) -> NodeProto:
    return helper.make_node("Constant", [], ["w"], **attributes)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(constant(value_ints=[1] * EACH), id="list of integers"),
        pytest.param(constant(value_floats=[1.5] * EACH), id="list of floats"),
        pytest.param(constant(value_string=b"1.5," * EACH), id="text"),
        pytest.param(
            constant(value=helper.make_tensor("t", TensorProto.STRING, [1], [b"1.5," * EACH])),
            id="tensor of texts",
        ),
    ],
)
def test_many_small_hiding_places_count_together(part: NodeProto) -> None:
    assert count_graph_parameters(model([part] * PARTS)) == PARTS * EACH


def test_a_hiding_place_in_a_branch_counts() -> None:
    branch = helper.make_graph([constant(value_ints=[1] * (FREE_VALUES + 1))], "b", [], [])

    assert count_graph_parameters(model([helper.make_node("If", ["c"], ["y"], then_branch=branch)])) == (
        FREE_VALUES + 1
    )


def test_axes_and_pads_are_free() -> None:
    slices = [helper.make_node("Slice", ["x"], ["y"], axes=[0] * 8, starts=[0] * 8)] * (FREE_VALUES // 16 + 1)

    assert count_graph_parameters(model(slices)) == 0
