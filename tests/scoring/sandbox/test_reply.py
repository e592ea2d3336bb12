import json
from typing import Any

import pytest

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


@pytest.mark.parametrize("task", [Task.MEASURE, Task.CALIBRATE])
def test_a_reply_to_another_task_is_refused(task: Task) -> None:
    with pytest.raises(InvalidReply):
        parse(b'{"outcome": "ok", "rows": 7}', task)
