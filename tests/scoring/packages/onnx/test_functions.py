"""Functions of a model's own: those that are inlined, and one test for each way to break them."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import FunctionProto, ModelProto, TensorProto, helper

from scoring.packages.onnx import functions
from scoring.packages.onnx.functions import FunctionsError, inlined

OPSET = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
node = helper.make_node


def function(name: str, *calls: str, domain: str = "own", opset: int = 17) -> FunctionProto:
    """Return a function that calls these one after the other, each on what the one before returned."""
    values = [f"v{place}" for place in range(len(calls) + 1)]
    body = [
        node(call, [given], [made], domain="own" if call.startswith("F") else "")
        for call, given, made in zip(calls, values, values[1:], strict=False)
    ]
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    return helper.make_function(domain, name, values[:1], values[-1:], body, imports)


def model(*defined: FunctionProto, call: str = "F") -> ModelProto:
    graph = helper.make_graph(
        [node(call, ["x"], ["y"], domain="own")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    return helper.make_model(graph, functions=defined, opset_imports=OPSET, ir_version=9)


def why_refused(*defined: FunctionProto, call: str = "F") -> str:
    with pytest.raises(FunctionsError) as caught:
        inlined(model(*defined, call=call))
    return str(caught.value)


def operators(plain: ModelProto) -> list[str]:
    return [each.op_type for each in plain.graph.node]


def test_calls_give_way_to_what_they_call() -> None:
    plain = inlined(model(function("F", "Neg", "FG"), function("FG", "Abs", "Sqrt")))

    assert operators(plain) == ["Neg", "Abs", "Sqrt"]
    assert not plain.functions


def test_the_inlined_model_answers_as_the_runtime_does() -> None:
    written = model(function("F", "Neg", "FG"), function("FG", "Abs", "Sqrt"))
    feed = {"x": np.array([4.0, 9.0], np.float32)}

    found = [
        onnxruntime.InferenceSession(each.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, feed
        )[0]
        for each in (written, inlined(written))
    ]

    assert [each.tolist() for each in found] == [[2.0, 3.0], [2.0, 3.0]]


def test_calls_inside_branches_give_way_too() -> None:
    written = model(function("F", "Neg"))
    branch = helper.make_graph(
        [node("F", ["x"], ["b"], domain="own")],
        "branch",
        [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, [2])],
    )
    written.graph.input.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
    written.graph.node[0].CopyFrom(node("If", ["c"], ["y"], then_branch=branch, else_branch=branch))

    plain = inlined(written)

    inner = [attribute.g.node[0].op_type for attribute in plain.graph.node[0].attribute]
    assert inner == ["Neg", "Neg"]


def test_a_model_without_functions_is_left_alone() -> None:
    written = model(call="Neg")

    assert inlined(written) is written


def test_a_function_that_calls_itself_is_refused() -> None:
    assert "calls itself" in why_refused(function("F", "FG"), function("FG", "F"))


def test_functions_that_double_are_refused_before_they_grow() -> None:
    doubling = [function(f"F{place}", *[f"F{place - 1}"] * 2) for place in range(1, 60)]

    assert f"{2**59:,} operators" in why_refused(function("F0", "Neg"), *doubling, call="F59")


def test_a_weight_that_is_called_often_is_refused_before_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "MAX_BYTES", 100_000)
    heavy = function("FH", "Neg")
    value = helper.make_tensor("w", TensorProto.FLOAT, [4_000], bytes(16_000), raw=True)
    heavy.node.append(node("Constant", [], ["w"], value=value))

    assert "give weights to functions as inputs" in why_refused(function("F", *["FH"] * 7), heavy)
    assert inlined(model(function("F", *["FH"] * 5), heavy))


def test_functions_that_call_deep_are_refused() -> None:
    deep = [function(f"F{place}", f"F{place - 1}") for place in range(1, 80)]

    assert "deep" in why_refused(function("F0", "Neg"), *deep, call="F79")
    assert "deep" in why_refused(*reversed(deep), function("F0", "Neg"), call="F79")


@pytest.mark.parametrize("domain", ["", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"])
def test_a_function_that_could_be_taken_for_an_operator_is_refused(domain: str) -> None:
    assert "domain of built-in operators" in why_refused(function("Relu", "Abs", domain=domain), call="Relu")


def test_two_functions_of_one_name_are_refused() -> None:
    assert "more than once" in why_refused(function("F", "Neg"), function("F", "Abs"))


def test_a_function_of_another_opset_is_refused() -> None:
    assert "another opset" in why_refused(function("F", "Neg", opset=13))
