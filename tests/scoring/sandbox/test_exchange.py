import json
import signal
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoring.contracts import Outcome, Task
from scoring.errors import Fault, Rejected, render
from scoring.sandbox.base import MAX_REPLY_BYTES, ExitStatus, Job, Overflow, Run
from scoring.sandbox.exchange import CalibrateFacts, MeasureFacts, PredictFacts, interpret, read_outputs

MakeJob = Callable[[Task], Job]
MakeRun = Callable[..., Run]
SECRET = "secretpixels"


def refusal(run: Run, job: Job) -> Rejected:
    """Return what the run is refused with; its sentence must render with the facts given."""
    with pytest.raises(Rejected) as caught:
        interpret(run, job)
    for finding in caught.value.findings:
        render(finding)
    return caught.value


def reply(outcome: Outcome, **facts: Any) -> bytes:
    return json.dumps({"outcome": outcome, "facts": facts}).encode()


def measured(**changes: Any) -> bytes:
    content = {
        "outcome": "ok",
        "parameters": 11,
        "trainable_parameters": 0,
        "macs_by_counter": {"dispatch": 5, "ptflops": None, "fvcore": 4},
        "uncounted_ops": ["aten::fft"],
        "warnings": [{"code": "no_trainable_parameters", "facts": {}}],
    }
    return json.dumps({**content, **changes}).encode()


def test_a_measurement_comes_through_with_its_log(make_run: MakeRun, make_job: MakeJob) -> None:
    found = interpret(make_run(reply=measured()), make_job(Task.MEASURE))

    assert isinstance(found, MeasureFacts)
    assert found.macs_by_counter == {"dispatch": 5, "ptflops": None, "fvcore": 4}
    assert [render(warning).code for warning in found.warnings] == ["no_trainable_parameters"]
    assert found.log == "what the entry printed"


def test_a_counter_that_did_not_apply_stays_away(make_run: MakeRun, make_job: MakeJob) -> None:
    reply = measured(macs_by_counter={"dispatch": 5})

    found = interpret(make_run(reply=reply), make_job(Task.MEASURE))

    assert isinstance(found, MeasureFacts)
    assert found.macs_by_counter == {"dispatch": 5}


def test_a_prediction_comes_through(make_run: MakeRun, make_job: MakeJob) -> None:
    found = interpret(make_run(reply=b'{"outcome": "ok", "rows": 3}'), make_job(Task.PREDICT))

    assert found == PredictFacts(rows=3, cpu_s=1.5)


def test_a_calibration_comes_through(make_run: MakeRun, make_job: MakeJob) -> None:
    found = interpret(make_run(reply=b'{"outcome": "ok", "macs": 9, "cpu_s": 0.5}'), make_job(Task.CALIBRATE))

    assert found == CalibrateFacts(macs=9, cpu_s=0.5)


@pytest.mark.parametrize(
    ("changes", "code", "facts"),
    [
        ({"status": ExitStatus.TIMED_OUT}, "timed_out", {"allowed_s": 12.5}),
        ({"status": ExitStatus.OUT_OF_MEMORY}, "out_of_memory", {"allowed_bytes": 6 * 2**30}),
        (
            {"status": ExitStatus.CRASHED, "exit_code": -11, "entry_began": True},
            "crashed",
            {"error": "SIGSEGV"},
        ),
        (
            {"status": ExitStatus.TOO_MUCH_OUTPUT, "overflow": Overflow.LOG},
            "too_much_output",
            {"allowed_bytes": 2**20, "what": "printed text"},
        ),
        (
            {"status": ExitStatus.TOO_MUCH_OUTPUT, "overflow": Overflow.REPLY},
            "too_much_output",
            {"allowed_bytes": MAX_REPLY_BYTES, "what": "reply"},
        ),
        (
            {"status": ExitStatus.TOO_MUCH_OUTPUT, "overflow": Overflow.OUTPUTS},
            "too_much_output",
            {"allowed_bytes": 3 * 2 * 4, "what": "outputs"},
        ),
        (
            {"status": ExitStatus.TOO_MUCH_OUTPUT, "overflow": Overflow.FILES},
            "too_many_temporary_files",
            {"allowed": 65_536},
        ),
    ],
)
def test_each_end_has_its_code(
    changes: dict[str, Any], code: str, facts: dict[str, object], make_run: MakeRun, make_job: MakeJob
) -> None:
    refused = refusal(make_run(**changes), make_job(Task.PREDICT))

    assert (refused.code, refused.findings[0].facts) == (code, facts)


@pytest.mark.parametrize("status", ExitStatus)
def test_no_end_is_left_without_a_meaning(status: ExitStatus, make_run: MakeRun, make_job: MakeJob) -> None:
    refusal(make_run(status=status, entry_began=True, overflow=Overflow.LOG), make_job(Task.PREDICT))


def test_an_unknown_end_is_a_fault(make_run: MakeRun, make_job: MakeJob) -> None:
    with pytest.raises(Fault):
        interpret(make_run(status="melted"), make_job(Task.PREDICT))


@pytest.mark.parametrize(
    ("outcome", "told", "facts"),
    [
        (Outcome.LOAD_FAILED, {"why": "KeyError: 'fc'"}, {"why": "KeyError: 'fc'"}),
        (
            Outcome.CRASHED,
            {"why": "MyError: bytes\x1b and floats"},
            {"error": "MyError: bytes\ufffd and floats; its input was (N, 3, 2, 2) of float32"},
        ),
        (Outcome.OUT_OF_MEMORY, {}, {"allowed_bytes": 6 * 2**30}),
        (Outcome.PROCESS_REFUSED, {}, {}),
        (Outcome.NO_NETWORK, {}, {}),
        (Outcome.READ_ONLY_FOLDER, {}, {}),
        (
            Outcome.NOT_INSTALLED,
            {"found": "no\x1bwhere"},
            {"module": "no\ufffdwhere", "at": "", "why": "they can import what env.txt lists"},
        ),
        (Outcome.WRONG_OUTPUT_KIND, {"found": "a tuple"}, {"found": "a tuple"}),
        (
            Outcome.WRONG_OUTPUT_SHAPE,
            {"found": "(1, 9)", "batch": 1, "expected": "(1, 2)", "width": 2},
            {"found": "(1, 9)", "batch": 1, "expected": "(1, 2)", "width": 2},
        ),
        (Outcome.WRONG_OUTPUT_COUNT, {"found": 2, "expected": 3}, {"found": 2, "expected": 3}),
        (Outcome.WRONG_OUTPUT_COUNT, {"found": 5, "expected": 1}, {"found": 5, "expected": 1}),
        (Outcome.WRONG_OUTPUT_COUNT, {"found": 5, "expected": 10**17}, {"found": 5, "expected": 3}),
        (Outcome.NOT_FINITE, {"found": 2, "total": 4}, {"found": 2, "total": 4}),
        (Outcome.CLASS_OUT_OF_RANGE, {"found": 7}, {"highest": 1}),
    ],
)
def test_measure_tells_what_the_child_found(
    outcome: Outcome,
    told: dict[str, Any],
    facts: dict[str, object],
    make_run: MakeRun,
    make_job: MakeJob,
) -> None:
    refused = refusal(make_run(exit_code=1, reply=reply(outcome, **told)), make_job(Task.MEASURE))

    assert refused.code == outcome.value
    assert refused.findings[0].facts == facts
    assert refused.log == "what the entry printed"


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.OK])
def test_predict_passes_on_no_text_of_the_child(
    outcome: Outcome, make_run: MakeRun, make_job: MakeJob
) -> None:
    hostile = reply(outcome, why=SECRET, found=SECRET, expected=SECRET)

    refused = refusal(make_run(exit_code=1, reply=hostile, log=SECRET), make_job(Task.PREDICT))

    assert refused.code == outcome.value
    assert SECRET not in repr(refused.findings)
    assert refused.log == ""


@pytest.mark.parametrize(
    "outcome", [Outcome.WRONG_OUTPUT_SHAPE, Outcome.WRONG_OUTPUT_COUNT, Outcome.NOT_FINITE]
)
def test_predict_bounds_the_child_s_numbers(outcome: Outcome, make_run: MakeRun, make_job: MakeJob) -> None:
    hostile = reply(outcome, found=10**17, expected=10**17, total=10**17, batch=10**17, width=10**17)

    refused = refusal(make_run(exit_code=1, reply=hostile), make_job(Task.PREDICT))

    assert str(10**17) not in repr(refused.findings)


@pytest.mark.parametrize("name", ["ValueError", "RuntimeError", "Fail", "MemoryError"])
def test_predict_names_known_exceptions(name: str, make_run: MakeRun, make_job: MakeJob) -> None:
    refused = refusal(make_run(exit_code=1, reply=reply(Outcome.CRASHED, why=name)), make_job(Task.PREDICT))

    assert refused.findings[0].facts == {"error": name}


@pytest.mark.parametrize("name", ["print", "int", "__name__", "ValueError ", "Pixel_17_is_203", ""])
def test_predict_names_nothing_else(name: str, make_run: MakeRun, make_job: MakeJob) -> None:
    refused = refusal(make_run(exit_code=1, reply=reply(Outcome.CRASHED, why=name)), make_job(Task.PREDICT))

    assert refused.findings[0].facts == {"error": "an exception"}


@pytest.mark.parametrize(
    ("captured", "why", "told"),
    [
        (True, "IndexError in aten::index.Tensor", "IndexError in aten::index.Tensor"),
        (True, "Secret in aten::index.Tensor", "an exception in aten::index.Tensor"),
        (True, f"IndexError in {SECRET}", "an exception"),
        (True, f"IndexError in aten::{SECRET}.{'x' * 50}", "an exception"),
        (False, "IndexError in aten::index.Tensor", "an exception"),
    ],
)
def test_of_a_graph_that_fails_the_operator_is_told(
    make_run: MakeRun, make_job: MakeJob, captured: bool, why: str, told: str
) -> None:
    job = make_job(Task.PREDICT)
    job = replace(job, request=replace(job.request, captured=captured))

    refused = refusal(make_run(reply=reply(Outcome.CRASHED, why=why), exit_code=1), job)

    assert refused.findings[0].facts == {"error": told}


def test_predict_hides_the_exit_code_that_the_entry_chose(make_run: MakeRun, make_job: MakeJob) -> None:
    refused = refusal(make_run(exit_code=203, entry_began=True), make_job(Task.PREDICT))

    assert refused.findings[0].facts == {"error": "an early exit"}


def test_measure_tells_the_exit_code(make_run: MakeRun, make_job: MakeJob) -> None:
    refused = refusal(make_run(exit_code=3, entry_began=True), make_job(Task.MEASURE))

    assert refused.findings[0].facts == {"error": "an early exit (code 3)"}


@pytest.mark.parametrize("status", [ExitStatus.EXITED, ExitStatus.CRASHED])
def test_a_child_that_never_started_is_our_fault(
    status: ExitStatus, make_run: MakeRun, make_job: MakeJob
) -> None:
    with pytest.raises(Fault):
        interpret(make_run(status=status, exit_code=1, reply=b""), make_job(Task.MEASURE))


def test_an_end_without_a_reply_once_the_entry_began_is_its_crash(
    make_run: MakeRun, make_job: MakeJob
) -> None:
    refused = refusal(make_run(reply=b"", entry_began=True), make_job(Task.PREDICT))

    assert refused.findings[0].facts == {"error": "an early exit"}


def test_control_characters_do_not_reach_the_reader(make_run: MakeRun, make_job: MakeJob) -> None:
    hostile = reply(Outcome.LOAD_FAILED, why="\x1b[2J\x00gone")

    refused = refusal(make_run(exit_code=1, reply=hostile), make_job(Task.MEASURE))

    assert refused.findings[0].facts["why"] == "�gone"


@pytest.mark.parametrize("content", [b"{", b'{"outcome": "ok", "rows": "3"}'])
def test_an_unreadable_reply_is_a_crash(content: bytes, make_run: MakeRun, make_job: MakeJob) -> None:
    refused = refusal(make_run(reply=content), make_job(Task.PREDICT))

    assert refused.code == "crashed"


def test_success_claimed_before_a_bad_exit_is_a_crash(make_run: MakeRun, make_job: MakeJob) -> None:
    refused = refusal(make_run(exit_code=1, reply=b'{"outcome": "ok", "rows": 3}'), make_job(Task.PREDICT))

    assert refused.code == "crashed"


def test_another_number_of_rows_is_refused(make_run: MakeRun, make_job: MakeJob) -> None:
    refused = refusal(make_run(reply=b'{"outcome": "ok", "rows": 2}'), make_job(Task.PREDICT))

    assert refused.findings[0].facts == {"found": 2, "expected": 3}


def test_a_claimed_number_of_rows_carries_no_more_than_one_too_many(
    make_run: MakeRun, make_job: MakeJob
) -> None:
    claimed = json.dumps({"outcome": "ok", "rows": 10**17}).encode()

    refused = refusal(make_run(reply=claimed), make_job(Task.PREDICT))

    assert refused.findings[0].facts == {"found": 4, "expected": 3}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": ExitStatus.TIMED_OUT},
        {"reply": b"garbage"},
        {"exit_code": 1, "reply": reply(Outcome.CRASHED)},
    ],
)
def test_a_calibration_that_fails_is_our_fault(
    changes: dict[str, Any], make_run: MakeRun, make_job: MakeJob
) -> None:
    with pytest.raises(Fault):
        interpret(make_run(**changes), make_job(Task.CALIBRATE))


def test_outputs_are_read_as_little_endian_rows(make_run: MakeRun, make_job: MakeJob) -> None:
    run = make_run(outputs=struct.pack("<6f", 1, 2, 3, 4, 5, -0.5))

    rows = read_outputs(run, make_job(Task.PREDICT))

    assert rows.dtype == np.float32
    assert rows.tolist() == [[1, 2], [3, 4], [5, -0.5]]


@pytest.mark.parametrize(("size", "found"), [(0, 0), (8, 1), (23, 2), (25, 4)])
def test_outputs_of_another_length_are_refused(
    size: int, found: int, make_run: MakeRun, make_job: MakeJob
) -> None:
    with pytest.raises(Rejected) as caught:
        read_outputs(make_run(outputs=bytes(size)), make_job(Task.PREDICT))

    assert caught.value.code == "wrong_output_count"
    assert caught.value.findings[0].facts == {"found": found, "expected": 3}


def test_numbers_that_are_not_finite_are_counted(make_run: MakeRun, make_job: MakeJob) -> None:
    run = make_run(outputs=struct.pack("<6f", 1, float("nan"), float("inf"), 4, float("-inf"), 0))

    with pytest.raises(Rejected) as caught:
        read_outputs(run, make_job(Task.PREDICT))

    assert caught.value.code == "not_finite"
    assert caught.value.findings[0].facts == {"found": 3, "total": 6}


@pytest.mark.parametrize(
    ("outcome", "told", "facts"),
    [
        (Outcome.NOT_FINITE, {"found": 468, "total": 731}, {"found": 468, "total": 2000}),
        (Outcome.NOT_FINITE, {"found": 9000, "total": 9000}, {"found": 2000, "total": 2000}),
        (Outcome.WRONG_OUTPUT_COUNT, {"found": 468, "expected": 731}, {"found": 2, "expected": 1}),
        (Outcome.WRONG_OUTPUT_COUNT, {"found": 0, "expected": 731}, {"found": 0, "expected": 1}),
    ],
)
def test_what_predict_counted_is_out_of_what_was_asked(
    outcome: Outcome,
    told: dict[str, int],
    facts: dict[str, int],
    make_run: MakeRun,
    make_job: MakeJob,
) -> None:
    """The child could choose the total, or the batch that went wrong, by what it saw."""
    job = make_job(Task.PREDICT)
    job = replace(job, request=replace(job.request, samples=1000))

    refused = refusal(make_run(exit_code=1, reply=reply(outcome, **told)), job)

    assert refused.findings[0].facts == facts


@pytest.mark.parametrize(
    ("task", "exit_code", "name"),
    [
        (Task.PREDICT, -signal.SIGABRT, "SIGABRT"),
        (Task.PREDICT, -signal.SIGUSR2, "a signal"),
        (Task.PREDICT, -37, "a signal"),
        (Task.MEASURE, -signal.SIGUSR2, "SIGUSR2"),
    ],
)
def test_predict_names_no_signal_that_the_entry_could_choose(
    task: Task, exit_code: int, name: str, make_run: MakeRun, make_job: MakeJob
) -> None:
    ended = make_run(status=ExitStatus.CRASHED, exit_code=exit_code, entry_began=True)

    assert refusal(ended, make_job(task)).findings[0].facts == {"error": name}


def test_a_link_in_the_outputs_place_is_not_followed(make_run: MakeRun, make_job: MakeJob) -> None:
    run = make_run(outputs=bytes(24))
    link = run.outputs.with_name("link.bin")
    link.symlink_to(run.outputs)

    with pytest.raises(Fault):
        read_outputs(replace(run, outputs=link), make_job(Task.PREDICT))
