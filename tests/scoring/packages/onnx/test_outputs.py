"""Which of several outputs is the answer."""

from __future__ import annotations

import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper

from scoring.contracts import BoxLayout, OutputContract, OutputKind
from scoring.packages.onnx.outputs import Answer, answer_of

LOGITS = OutputContract(kind=OutputKind.LOGITS, width=10)
Shape = list[int | str | None] | None


def taken(*outputs: tuple[str, Shape], contract: OutputContract = LOGITS, **types: int) -> str | None:
    """Return the name of the output that is taken, None if it cannot be told."""
    values = [
        helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), shape)
        for name, shape in outputs
    ]
    answer = answer_of(ModelProto(graph=GraphProto(output=values)), contract)
    return answer.name if isinstance(answer, Answer) else None


@pytest.mark.parametrize("shape", [["n", 10], [1, 10], ["n", "c"], [None, None], None])
def test_the_only_one_that_can_have_the_shape_is_taken(shape: Shape) -> None:
    assert taken(("features", ["n", 512]), ("map", ["n", 10, 7, 7]), ("y", shape)) == "y"


def test_labels_are_no_answer() -> None:
    assert taken(("label", ["n"]), ("scores", ["n", 10]), label=TensorProto.INT64) == "scores"


def test_whole_numbers_in_the_shape_of_logits_are_no_answer() -> None:
    assert taken(("ranks", ["n", 10]), ("y", ["n", 10]), ranks=TensorProto.INT64) == "y"


@pytest.mark.parametrize("name", ["logits", "Logits", "output", "probabilities"])
def test_the_one_with_the_name_of_an_answer_is_taken(name: str) -> None:
    assert taken(("a", ["n", 10]), (name, ["n", 10]), ("b", ["n", 10])) == name


def test_logits_come_before_probabilities() -> None:
    assert taken(("probabilities", ["n", 10]), ("logits", ["n", 10])) == "logits"


def test_a_name_in_another_shape_counts_for_nothing() -> None:
    assert taken(("a", ["n", 10]), ("b", ["n", 10]), ("logits", ["n", 512])) == "a"


def test_the_one_that_is_declared_in_the_shape_is_taken() -> None:
    assert taken(("a", ["n", "c"]), ("b", ["n", 10])) == "b"


def test_the_first_of_equals_is_taken() -> None:
    assert taken(("a", ["n", 10]), ("b", ["n", 10])) == "a"


def test_equals_of_which_none_is_the_first_cannot_be_told() -> None:
    assert taken(("features", ["n", 512]), ("a", ["n", 10]), ("b", ["n", 10])) is None


def test_others_alone_hold_no_answer() -> None:
    assert taken(("features", ["n", 512]), ("map", ["n", 10, 7, 7])) is None


def test_a_sequence_is_no_answer() -> None:
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    maps = helper.make_value_info("maps", helper.make_sequence_type_proto(tensor))
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)

    answer = answer_of(ModelProto(graph=GraphProto(output=[maps, y])), LOGITS)

    assert isinstance(answer, Answer)
    assert answer.name == "y"


def test_a_class_map_is_told_from_its_classes() -> None:
    contract = OutputContract(kind=OutputKind.CLASS_MAP, classes=3)

    assert taken(("aux", ["n", 3]), ("map", ["n", 3, 32, 32]), contract=contract) == "map"
    assert taken(("aux", ["n", 3]), ("map", ["n", 32, 32]), contract=contract, map=TensorProto.INT64) == "map"


def test_boxes_are_told_by_their_layout() -> None:
    corners = OutputContract(kind=OutputKind.BOXES, classes=5, box_layout=BoxLayout.CORNERS)
    yolo = OutputContract(kind=OutputKind.BOXES, classes=5, box_layout=BoxLayout.YOLO)
    outputs: list[tuple[str, Shape]] = [("boxes", ["n", 300, 6]), ("raw", ["n", 9, 8400])]

    assert taken(*outputs, contract=corners) == "boxes"
    assert taken(*outputs, contract=yolo) == "raw"
