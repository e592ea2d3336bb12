"""What an export, a missing explanation and each kind of reply mean; the caps that an export has."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from scoring.contracts import Outcome, Task
from scoring.errors import Fault, Rejected, render
from scoring.sandbox.base import ExitStatus, Job, Overflow, Run
from scoring.sandbox.exchange import ExportFacts, QuantiseFacts, interpret, read_export
from scoring.sandbox.limits import RESERVED_BYTES, expected_output_bytes, resource_limits
from scoring.sandbox.reply import FailedReply, InvalidReply, parse

MakeJob = Callable[[Task], Job]
MakeRun = Callable[..., Run]
EXPORTED: dict[str, Any] = {
    "outcome": "ok",
    "opset": 17,
    "samples": 3,
    "largest_difference": 0.25,
    "largest_output": 4.0,
}


def exported(**changes: Any) -> bytes:
    return json.dumps({**EXPORTED, **changes}).encode()


def test_an_export_comes_through_with_its_log(make_run: MakeRun, make_job: MakeJob) -> None:
    found = interpret(make_run(reply=exported()), make_job(Task.EXPORT))

    assert found == ExportFacts(
        opset=17, samples=3, largest_difference=0.25, largest_output=4.0, log="what the entry printed"
    )


def test_the_exported_bytes_are_read_as_they_are(make_run: MakeRun, make_job: MakeJob) -> None:
    assert read_export(make_run(outputs=b"\x08\x08:\x00"), make_job(Task.EXPORT)) == b"\x08\x08:\x00"


def test_no_more_is_read_than_an_export_may_be_long(make_run: MakeRun, make_job: MakeJob) -> None:
    job = make_job(Task.EXPORT)
    small = replace(job, limits=replace(job.limits, max_file_bytes=4))

    assert read_export(make_run(outputs=b"123456789"), small) == b"1234"


@pytest.mark.parametrize(
    "changes",
    [
        {"opset": 0},
        {"opset": 101},
        {"samples": -1},
        {"largest_difference": -0.1},
        {"largest_output": float("inf")},
        {"more": 1},
    ],
)
def test_an_export_that_no_child_reports_is_refused(
    changes: dict[str, Any], make_run: MakeRun, make_job: MakeJob
) -> None:
    with pytest.raises(Rejected) as caught:
        interpret(make_run(reply=exported(**changes)), make_job(Task.EXPORT))

    assert (caught.value.code, caught.value.findings[0].facts) == (
        "crashed",
        {"error": "an unreadable reply"},
    )
    assert render(caught.value.findings[0])


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"why": "no operator for it"}, "no operator for it"),
        ({"why": "ValueError"}, "ValueError"),
        ({}, "an exception"),
    ],
)
def test_an_export_that_fails_says_why(
    facts: dict[str, str], why: str, make_run: MakeRun, make_job: MakeJob
) -> None:
    reply = json.dumps({"outcome": Outcome.EXPORT_FAILED, "facts": facts}).encode()

    with pytest.raises(Rejected) as caught:
        interpret(make_run(reply=reply, exit_code=1), make_job(Task.EXPORT))

    assert (caught.value.code, caught.value.findings[0].facts) == ("export_failed", {"why": why})


def test_a_quantisation_comes_through_with_nothing_but_its_graph(
    make_run: MakeRun, make_job: MakeJob
) -> None:
    run, job = make_run(reply=b'{"outcome": "ok"}', outputs=b"graph"), make_job(Task.QUANTISE)

    assert interpret(run, job) == QuantiseFacts(cpu_s=run.cpu_s)
    assert read_export(run, job) == b"graph"


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"why": "ValueError"}, "ValueError"),
        ({"why": "InvalidGraph"}, "InvalidGraph"),
        ({"why": "the pixel is 17"}, "an exception"),
        ({}, "an exception"),
    ],
)
def test_a_quantisation_that_fails_tells_no_more_than_a_known_name(
    facts: dict[str, str], told: str, make_run: MakeRun, make_job: MakeJob
) -> None:
    """It sees hidden samples, and a graph can put them into the words of an error."""
    reply = json.dumps({"outcome": Outcome.QUANTISATION_FAILED, "facts": facts}).encode()

    with pytest.raises(Rejected) as caught:
        interpret(make_run(reply=reply, exit_code=1), make_job(Task.QUANTISE))

    assert (caught.value.code, caught.value.log) == ("quantisation_failed", "")
    assert caught.value.findings[0].facts == {
        "precision": "w8a8",
        "why": f"ONNX Runtime's quantiser failed with {told}",
    }


def test_a_quantised_graph_may_be_as_long_as_a_file(make_job: MakeJob) -> None:
    job = make_job(Task.QUANTISE)

    assert expected_output_bytes(job) == job.limits.max_file_bytes


@pytest.mark.parametrize("task", list(Task))
def test_success_is_never_a_failure_of_that_name(task: Task) -> None:
    with pytest.raises(InvalidReply):
        parse(b'{"outcome": "ok", "facts": {}}', task)


def test_a_failure_cannot_be_called_a_success() -> None:
    with pytest.raises(ValidationError, match="not a failure"):
        FailedReply(outcome=Outcome.OK)


def test_too_much_output_of_an_unknown_kind_is_our_fault(make_run: MakeRun, make_job: MakeJob) -> None:
    run = make_run(status=ExitStatus.TOO_MUCH_OUTPUT, overflow=None)

    with pytest.raises(Fault, match="what it wrote is unknown"):
        interpret(run, make_job(Task.PREDICT))


def test_an_export_that_is_too_long_is_told_how_long_it_may_be(make_run: MakeRun, make_job: MakeJob) -> None:
    job = make_job(Task.EXPORT)

    with pytest.raises(Rejected) as caught:
        interpret(make_run(status=ExitStatus.TOO_MUCH_OUTPUT, overflow=Overflow.OUTPUTS), job)

    assert caught.value.findings[0].facts["allowed_bytes"] == job.limits.max_file_bytes


def test_outputs_larger_than_other_files_may_still_be_written(make_job: MakeJob) -> None:
    """Three samples of two columns take 24 bytes; the entry's own files may have ten."""
    job = make_job(Task.PREDICT)
    small = replace(job, limits=replace(job.limits, max_file_bytes=10))

    assert expected_output_bytes(small) == 24
    assert resource_limits(small)["RLIMIT_FSIZE"] == 24


def test_each_process_is_bounded_by_the_jobs_own_limits(make_job: MakeJob) -> None:
    job = make_job(Task.EXPORT)
    threaded = replace(job, timeout_s=2.5, limits=replace(job.limits, threads=3, max_processes=7))

    found = resource_limits(threaded)

    assert found["RLIMIT_DATA"] == job.limits.max_memory_bytes + RESERVED_BYTES
    assert found["RLIMIT_CPU"] == 8 + 1
    assert found["RLIMIT_NPROC"] == 7
    assert found["RLIMIT_FSIZE"] == job.limits.max_file_bytes
    assert found["RLIMIT_CORE"] == 0
