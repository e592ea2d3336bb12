import json
from contextlib import nullcontext
from typing import Any

import pytest
from pydantic import ValidationError

from scoring.contracts import Outcome, Task
from scoring.sandbox.base import MAX_REPLY_BYTES
from scoring.sandbox.reply import CalibrateReply, FailedReply, InvalidReply, MeasureReply, PredictReply, parse

MEASURED: dict[str, Any] = {
    "outcome": "ok",
    "parameters": 11,
    "trainable_parameters": 10,
    "macs_by_counter": {"dispatch": 5, "ptflops": None, "fvcore": 4},
    "uncounted_ops": ["aten::fft_fft"],
    "warnings": [{"code": "conversion_mismatch", "facts": {"largest_difference": 0.5}}],
}


def measured(**changes: Any) -> bytes:
    return json.dumps({**MEASURED, **changes}).encode()


def test_a_measurement_is_read() -> None:
    reply = parse(measured(), Task.MEASURE)

    assert isinstance(reply, MeasureReply)
    assert (reply.parameters, reply.macs_by_counter.ptflops) == (11, None)


def test_a_prediction_is_read() -> None:
    reply = parse(b'{"outcome": "ok", "rows": 7}', Task.PREDICT)

    assert isinstance(reply, PredictReply)
    assert reply.rows == 7


def test_a_calibration_is_read() -> None:
    reply = parse(b'{"outcome": "ok", "macs": 10, "cpu_s": 2}', Task.CALIBRATE)

    assert isinstance(reply, CalibrateReply)
    assert reply.cpu_s == 2.0


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_each_failure_is_read(outcome: Outcome) -> None:
    reply = parse(json.dumps({"outcome": outcome, "facts": {}}).encode(), Task.PREDICT)

    assert isinstance(reply, FailedReply)
    assert reply.outcome is outcome


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"parameters": -1}, id="a negative count"),
        pytest.param({"parameters": 10**19}, id="a count that no model has"),
        pytest.param({"parameters": 11.0}, id="a count that is a fraction"),
        pytest.param({"parameters": True}, id="a count that is a truth value"),
        pytest.param({"parameters": "11"}, id="a count that is text"),
        pytest.param({"parameters": 9}, id="fewer parameters than trainable ones"),
        pytest.param({"macs_by_counter": {"ptflops": 1}}, id="the counter that always applies is missing"),
        pytest.param(
            {"macs_by_counter": {"dispatch": 1, "ptflops": 1, "fvcore": 1, "mine": 0}}, id="a fourth counter"
        ),
        pytest.param({"uncounted_ops": ["x" * 121]}, id="a long operator name"),
        pytest.param({"uncounted_ops": ["aten::mm\n"]}, id="a line feed in an operator name"),
        pytest.param({"uncounted_ops": ["<script>alert(1)</script>("]}, id="a bracket in an operator name"),
        pytest.param({"uncounted_ops": ["mm"] * 501}, id="too many operator names"),
        pytest.param({"warnings": [{"code": "macs_over_budget", "facts": {}}]}, id="a code that rejects"),
        pytest.param({"warnings": [{"code": "conversion_mismatch", "facts": {}}]}, id="a fact is missing"),
        pytest.param(
            {"warnings": [{"code": "no_trainable_parameters", "facts": {"path": "/etc"}}]},
            id="a fact too many",
        ),
        pytest.param(
            {"warnings": [{"code": "conversion_mismatch", "facts": {"largest_difference": -1.0}}]},
            id="a negative difference",
        ),
        pytest.param({"score": 1.0}, id="a field of its own"),
        pytest.param({"outcome": "rejected"}, id="an unknown outcome"),
        pytest.param({"outcome": None}, id="no outcome"),
    ],
)
def test_a_measurement_is_refused_with(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidReply):
        parse(measured(**changes), Task.MEASURE)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null", id="null"),
        pytest.param(b'["ok"]', id="a list"),
        pytest.param(b'{"outcome": "ok", "rows": 1} {}', id="two documents"),
        pytest.param(b'{"outcome": "ok", "rows": 1, "rows": 2}', id="a key given twice"),
        pytest.param(b'{"outcome": "ok", "rows": NaN}', id="NaN"),
        pytest.param(b'{"outcome": "ok", "rows": Infinity}', id="infinity"),
        pytest.param(b'{"outcome": "ok", "rows": 1e999}', id="a number too large for a float"),
        pytest.param(
            b'{"outcome": "ok", "rows": ' + b"9" * 5000 + b"}", id="a number of five thousand digits"
        ),
        pytest.param(b'{"outcome": "ok"}', id="no rows"),
        pytest.param(b'{"outcome": "crashed", "facts": {"why": "\\ud800"}}', id="half a character"),
        pytest.param(b'{"outcome": "crashed", "facts": {"why": "' + b"x" * 401 + b'"}}', id="a long text"),
        pytest.param(b'{"outcome": "crashed", "facts": {"log": "x"}}', id="an unknown fact"),
        pytest.param(b'{"outcome": "crashed", "facts": {"why": ["x"]}}', id="a list for a text"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="a hundred thousand brackets"),
        pytest.param(b'{"outcome":' * 50_000, id="fifty thousand objects inside each other"),
        pytest.param(b" " * (MAX_REPLY_BYTES + 1), id="more than the cap"),
    ],
)
def test_a_reply_is_refused_that_is(reply: bytes) -> None:
    with pytest.raises(InvalidReply):
        parse(reply, Task.PREDICT)


def test_an_infinite_difference_is_refused() -> None:
    reply = measured().replace(b"0.5", b"1e999")

    with pytest.raises(InvalidReply):
        parse(reply, Task.MEASURE)


COMPILED: dict[str, Any] = {
    "outcome": "ok",
    "opset": 18,
    "batch": 4,
    "samples": 12,
    "graph_bytes": 2_000,
    "largest_difference": 0.25,
    "largest_output": 2.0,
    "numbers": 120,
    "differing": 3,
    "torch_ms": 1.5,
    "compiled_ms": 0.5,
}
TRACED: dict[str, Any] = {
    "outcome": "ok",
    "output_shape": [1, 4],
    "batch": 1,
    "samples": 12,
    "largest_difference": 0.0,
    "largest_output": 1.0,
}
EXPORTED: dict[str, Any] = {
    "outcome": "ok",
    "opset": 17,
    "samples": 3,
    "largest_difference": 0.25,
    "largest_output": 4.0,
}
MOST = 10**18
COUNTS = [(0, -1), (MOST, MOST + 1)]
LENGTHS = [(0, -0.001)]
BOUNDS = [
    (task, reply, field, inside, outside)
    for task, reply, fields in (
        (Task.MEASURE, MEASURED, {"parameters": COUNTS[1:], "trainable_parameters": COUNTS[:1]}),
        (Task.PREDICT, {"outcome": "ok", "rows": 7}, {"rows": COUNTS}),
        (
            Task.COMPILE,
            COMPILED,
            {
                "opset": [(1, 0), (100, 101)],
                "batch": [(1, 0), (MOST, MOST + 1)],
                **dict.fromkeys(("samples", "graph_bytes", "numbers", "differing"), COUNTS),
                **dict.fromkeys(("largest_difference", "largest_output", "torch_ms", "compiled_ms"), LENGTHS),
            },
        ),
        (
            Task.TRACE,
            TRACED,
            {
                "output_shape": [([1], []), ([1] * 8, [1] * 9), ([1], [0]), ([MOST], [MOST + 1])],
                "batch": [(1, 0), (1, 2)],
                "samples": COUNTS,
                **dict.fromkeys(("largest_difference", "largest_output"), LENGTHS),
            },
        ),
        (
            Task.EXPORT,
            EXPORTED,
            {
                "opset": [(1, 0), (100, 101)],
                "samples": COUNTS,
                **dict.fromkeys(("largest_difference", "largest_output"), LENGTHS),
            },
        ),
        (
            Task.CALIBRATE,
            {"outcome": "ok", "macs": 10, "cpu_s": 2.0},
            {"macs": [(1, 0), (MOST, MOST + 1)], "cpu_s": [(1e-9, 0.0)]},
        ),
    )
    for field, bounds in fields.items()
    for inside, outside in bounds
]


@pytest.mark.parametrize(("task", "reply", "field", "inside", "outside"), BOUNDS)
def test_a_number_is_read_up_to_its_bound_and_refused_beyond(
    task: Task, reply: dict[str, Any], field: str, inside: object, outside: object
) -> None:
    read = parse(json.dumps({**reply, field: inside}).encode(), task)

    assert getattr(read, field) == inside
    with pytest.raises(InvalidReply):
        parse(json.dumps({**reply, field: outside}).encode(), task)


@pytest.mark.parametrize(("length", "is_read"), [(16, True), (17, False)])
def test_so_many_warnings_are_read(length: int, is_read: bool) -> None:
    reply = measured(warnings=[{"code": "no_trainable_parameters"}] * length)

    with nullcontext() if is_read else pytest.raises(InvalidReply):
        parse(reply, Task.MEASURE)


def test_a_model_may_train_all_of_its_parameters() -> None:
    assert isinstance(parse(measured(trainable_parameters=11), Task.MEASURE), MeasureReply)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_is_not_json_is_refused_where_null_would_do(constant: str) -> None:
    reply = json.dumps(TRACED).replace('"batch": 1', f'"batch": {constant}')

    with pytest.raises(InvalidReply):
        parse(reply.encode(), Task.TRACE)


def test_a_reply_cannot_be_changed() -> None:
    reply = parse(b'{"outcome": "ok", "rows": 7}', Task.PREDICT)

    with pytest.raises(ValidationError):
        reply.rows = 8


@pytest.mark.parametrize("task", [Task.MEASURE, Task.CALIBRATE])
def test_a_reply_to_another_task_is_refused(task: Task) -> None:
    with pytest.raises(InvalidReply):
        parse(b'{"outcome": "ok", "rows": 7}', task)
