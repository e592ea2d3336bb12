"""The onnx format: one sound model, and one test for each way to break it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper

from scoring.contracts import (
    Finding,
    Format,
    InputContract,
    Metric,
    OutputContract,
    OutputKind,
    Package,
    TrackSpec,
)
from scoring.errors import Rejected, render_all
from scoring.packages.onnx import check
from scoring.packages.onnx.operators import MAX_IR, MAX_OPSET, MIN_IR, MIN_OPSET, graph_problems

TRACK = TrackSpec(
    slug="t",
    name="T",
    formats=(Format.ONNX,),
    input=InputContract(shape=(3, 4, 4)),
    output=OutputContract(kind=OutputKind.LOGITS, width=2),
    metric=Metric.ACCURACY,
)
WEIGHT = np.ones((48, 2), np.float32)


def sound(
    *,
    element_type: int = TensorProto.FLOAT,
    shape: list[int | str | None] | None = None,
    opset: int = 17,
    ir_version: int = 8,
) -> ModelProto:
    cast = helper.make_node("Cast", ["x"], ["c"], to=TensorProto.FLOAT)
    flat = helper.make_node("Flatten", ["c"], ["f"])
    product = helper.make_node("MatMul", ["f", "w"], ["y"])
    graph = helper.make_graph(
        [cast, flat, product],
        "g",
        [helper.make_tensor_value_info("x", element_type, ["n", 3, 4, 4] if shape is None else shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
        initializer=[numpy_helper.from_array(WEIGHT, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def checked(folder: Path, content: ModelProto | bytes) -> tuple[Finding, ...]:
    raw = content if isinstance(content, bytes) else content.SerializeToString()
    (folder / "net.onnx").write_bytes(raw)
    return check(Package(format=Format.ONNX, root=folder, main="net.onnx", package_bytes=len(raw)), TRACK)


@pytest.fixture
def codes(tmp_path: Path) -> Callable[[ModelProto | bytes], list[str]]:
    def run(content: ModelProto | bytes) -> list[str]:
        with pytest.raises(Rejected) as caught:
            checked(tmp_path, content)
        render_all(caught.value.findings)
        return [finding.code for finding in caught.value.findings]

    return run


Codes = Callable[[ModelProto | bytes], list[str]]


# --- what is accepted


@pytest.mark.parametrize("element_type", [TensorProto.FLOAT, TensorProto.UINT8])
def test_float_and_byte_inputs_are_accepted(tmp_path: Path, element_type: int) -> None:
    assert checked(tmp_path, sound(element_type=element_type)) == ()


@pytest.mark.parametrize("shape", [[1, 3, 4, 4], ["n", "c", "h", "w"], [None, 3, None, 4], [8, 3, 4, 4]])
def test_open_and_fixed_sizes_are_accepted(tmp_path: Path, shape: list[int | str | None]) -> None:
    assert checked(tmp_path, sound(shape=shape)) == ()


@pytest.mark.parametrize("opset", [MIN_OPSET, MAX_OPSET])
@pytest.mark.parametrize("ir_version", [4, MAX_IR])
def test_the_accepted_range_loads_in_the_installed_runtime(
    opset: int, ir_version: int, tmp_path: Path
) -> None:
    model = sound(opset=opset, ir_version=ir_version, shape=[1, 3, 4, 4])

    checked(tmp_path, model)

    assert onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("opset", "ir_version"), [(MAX_OPSET + 1, MAX_IR), (MAX_OPSET, MAX_IR + 1)])
def test_the_installed_runtime_loads_nothing_newer(opset: int, ir_version: int) -> None:
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.Fail):
        onnxruntime.InferenceSession(
            sound(opset=opset, ir_version=ir_version).SerializeToString(), providers=["CPUExecutionProvider"]
        )


def test_weights_declared_as_inputs_are_no_inputs(tmp_path: Path) -> None:
    model = sound(ir_version=MIN_IR)
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [48, 2]))

    assert checked(tmp_path, model) == ()


# --- versions and operators


@pytest.mark.parametrize("opset", [MIN_OPSET - 1, MAX_OPSET + 1, -1, 2**40])
def test_other_opsets_are_refused(codes: Codes, opset: int) -> None:
    assert codes(sound(opset=opset)) == ["unsupported_onnx"]


@pytest.mark.parametrize("ir_version", [MIN_IR - 1, MAX_IR + 1, -1])
def test_other_ir_versions_are_refused(codes: Codes, ir_version: int) -> None:
    assert codes(sound(ir_version=ir_version)) == ["unsupported_onnx"]


def test_a_model_without_an_opset_is_refused(codes: Codes) -> None:
    model = sound()
    del model.opset_import[:]

    assert codes(model) == ["unsupported_onnx"]


def test_two_standard_opsets_are_refused(codes: Codes) -> None:
    model = sound()
    model.opset_import.add(domain="ai.onnx", version=9)

    assert codes(model) == ["unsupported_onnx"]


def test_operators_of_other_domains_are_refused(codes: Codes) -> None:
    model = sound()
    model.graph.node[0].domain = "com.example"

    assert codes(model) == ["unsupported_onnx"]


def test_operators_of_other_domains_inside_branches_are_refused(codes: Codes) -> None:
    model = sound()
    inner = helper.make_graph([helper.make_node("Odd", [], ["z"], domain="odd")], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["c"], ["u"], then_branch=inner, else_branch=inner))

    assert codes(model) == ["unsupported_onnx"]


def test_operators_that_do_not_exist_are_refused(codes: Codes) -> None:
    model = sound()
    model.graph.node[0].op_type = "Teleport"

    assert codes(model) == ["unsupported_onnx"]


def test_operators_newer_than_the_opset_are_refused(codes: Codes) -> None:
    model = sound(opset=17)
    model.graph.node[0].op_type = "Attention"

    assert codes(model) == ["unsupported_onnx"]


def test_functions_that_cannot_be_inlined_are_refused(codes: Codes) -> None:
    model = sound()
    model.functions.add(name="f", domain="ai.onnx")

    assert codes(model) == ["unsupported_onnx"]


def refused_for(model: ModelProto) -> str:
    return " ".join(graph_problems(model))


@pytest.mark.parametrize(
    ("domain", "operator", "why"),
    [
        ("com.microsoft", "MoE", "cannot count: com.microsoft::MoE"),
        ("com.microsoft", "BeamSearch", "cannot count: com.microsoft::BeamSearch"),
        ("com.microsoft", "EPContext", "cannot count: com.microsoft::EPContext"),
        ("com.microsoft", "GatherBlockQuantized", "cannot count: com.microsoft::GatherBlockQuantized"),
        ("com.microsoft", "Anything", "cannot count: com.microsoft::Anything"),
        ("ai.onnx.ml", "ZipMap", "cannot count: ai.onnx.ml::ZipMap"),
        ("com.microsoft.nchwc", "Conv", "for one kind of processor (com.microsoft.nchwc::Conv)"),
        ("com.example", "Conv", "custom operators: com.example::Conv"),
    ],
)
def test_a_refused_operator_is_named_with_the_reason(domain: str, operator: str, why: str) -> None:
    model = sound()
    model.graph.node[0].domain, model.graph.node[0].op_type = domain, operator

    assert why in refused_for(model)


@pytest.mark.parametrize(
    ("domain", "operator"),
    [("com.microsoft", "FusedConv"), ("com.microsoft", "QGemm"), ("ai.onnx.ml", "TreeEnsembleClassifier")],
)
def test_built_in_operators_are_accepted(domain: str, operator: str) -> None:
    model = sound()
    model.graph.node[0].domain, model.graph.node[0].op_type = domain, operator

    assert refused_for(model) == ""


@pytest.mark.parametrize("operator", ["LayerNormalization", "SimplifiedLayerNormalization"])
def test_normalisations_that_the_runtime_has_at_every_opset_are_accepted(operator: str) -> None:
    model = sound(opset=12)
    model.graph.node[0].op_type = operator

    assert refused_for(model) == ""


def test_a_graph_without_nodes_is_refused(codes: Codes) -> None:
    model = sound()
    del model.graph.node[:]

    assert codes(model) == ["unsupported_onnx"]


# --- input and output


@pytest.mark.parametrize("element_type", [TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.INT64, 0, 999])
def test_other_input_types_are_refused(codes: Codes, element_type: int) -> None:
    model = sound()
    model.graph.input[0].type.tensor_type.elem_type = element_type

    assert codes(model) == ["unsupported_onnx"]


@pytest.mark.parametrize(
    "shape", [["n", 3, 4], ["n", 3, 4, 5], ["n", 4, 4, 3], [0, 3, 4, 4], [-1, 3, 4, 4], ["n", 3, 4, 4, 1], []]
)
def test_other_input_shapes_are_refused(codes: Codes, shape: list[int | str | None]) -> None:
    assert codes(sound(shape=shape)) == ["unsupported_onnx"]


def test_a_second_input_is_refused(codes: Codes) -> None:
    model = sound()
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1]))

    assert codes(model) == ["unsupported_onnx"]


def test_a_model_without_inputs_is_refused(codes: Codes) -> None:
    model = sound()
    del model.graph.input[:]

    assert codes(model) == ["unsupported_onnx"]


def test_a_model_without_outputs_is_refused(codes: Codes) -> None:
    model = sound()
    del model.graph.output[:]

    assert codes(model) == ["unsupported_onnx"]


def test_outputs_none_of_which_has_the_shape_are_refused(codes: Codes) -> None:
    model = sound()
    del model.graph.output[:]
    others = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 48]) for name in ("f", "c")]
    model.graph.output.extend(others)

    assert codes(model) == ["unsupported_onnx"]


def test_an_input_that_is_no_tensor_is_refused(codes: Codes) -> None:
    model = sound()
    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    model.graph.input[0].type.CopyFrom(sequence)

    assert codes(model) == ["unsupported_onnx"]


# --- weights


def external(model: ModelProto, location: str, *, offset: str = "0", length: str = "384") -> ModelProto:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=value)
    return model


def test_external_weights_beside_the_model_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())

    assert checked(tmp_path, external(sound(), "w.bin")) == ()


def test_missing_external_weights_are_named(codes: Codes) -> None:
    assert codes(external(sound(), "w.bin")) == ["missing_file"]


@pytest.mark.parametrize(
    "location", ["../w.bin", "/etc/passwd", "a/../../w.bin", "a\\w.bin", "", ".", "w\0.bin", "a//b"]
)
def test_external_weights_outside_the_package_are_refused(codes: Codes, location: str) -> None:
    assert codes(external(sound(), location)) == ["invalid_weights"]


@pytest.mark.parametrize(
    ("offset", "length"), [("1", "384"), ("-1", "384"), ("0", "383"), ("x", "384"), ("0", "9" * 5000)]
)
def test_external_weights_that_do_not_fit_are_refused(
    codes: Codes, tmp_path: Path, offset: str, length: str
) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())

    assert codes(external(sound(), "w.bin", offset=offset, length=length)) == ["invalid_weights"]


def test_weights_shorter_than_their_shape_are_refused(codes: Codes) -> None:
    model = sound()
    model.graph.initializer[0].raw_data = b"1234"

    assert codes(model) == ["invalid_weights"]


@pytest.mark.parametrize("sizes", [[-1, 2], [10**15, 10**15], [1] * 100])
def test_weights_of_impossible_shapes_are_refused(codes: Codes, sizes: list[int]) -> None:
    model = sound()
    model.graph.initializer[0].dims[:] = sizes

    assert codes(model) == ["invalid_weights"]


def test_weights_of_unknown_types_are_refused(codes: Codes) -> None:
    model = sound()
    model.graph.initializer[0].data_type = 777

    assert codes(model) == ["invalid_weights"]


def test_all_findings_come_at_once(codes: Codes) -> None:
    model = sound(opset=99, element_type=TensorProto.DOUBLE)
    model.graph.initializer[0].raw_data = b"1234"

    assert codes(model) == ["unsupported_onnx", "unsupported_onnx", "invalid_weights"]


# --- whatever the bytes


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 100, sound().SerializeToString()[:-7]])
def test_files_that_are_no_model_are_refused(codes: Codes, content: bytes) -> None:
    assert set(codes(content)) <= {"unsupported_onnx", "invalid_weights"}


VALID = sound().SerializeToString()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(1, 255)), min_size=1, max_size=6))
def test_flipped_bytes_never_raise_anything_but_rejected(
    tmp_path: Path, flips: list[tuple[int, int]]
) -> None:
    content = bytearray(VALID)
    for at, mask in flips:
        content[at] ^= mask

    try:
        warnings = checked(tmp_path, bytes(content))
    except Rejected as refused:
        render_all(refused.findings)
    else:
        assert warnings == ()


def test_the_sound_model_passes_the_reference_checker() -> None:
    onnx.checker.check_model(sound())
