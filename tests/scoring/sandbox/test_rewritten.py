"""What a compilation and a trace of the model mean once they are back; and that they run in the real sandbox."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scoring.contracts import Task
from scoring.conversion.compilation import X86_64_CPU, available_targets, compile_entry
from scoring.conversion.to_byom import export_byom
from scoring.errors import Rejected, render
from scoring.sandbox.base import Job, Run
from scoring.sandbox.bubblewrap import BubblewrapSandbox
from scoring.sandbox.exchange import CompileFacts, TraceFacts, interpret, read_export
from scoring.sandbox.limits import expected_output_bytes
from scoring.tracks import load_track
from tests.golden.byom import byom_files

MakeJob = Callable[[Task], Job]
MakeRun = Callable[..., Run]
COMPILED: dict[str, Any] = {
    "opset": 18,
    "batch": None,
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
    "output_shape": [1, 4],
    "batch": 1,
    "samples": 12,
    "largest_difference": 0.0,
    "largest_output": 1.0,
}
MODEL = """
import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(3, 100)

    def forward(self, images):
        return self.head(images.mean((2, 3)))
"""
REPLIES = [(Task.COMPILE, COMPILED), (Task.TRACE, TRACED)]


def reply(facts: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({"outcome": "ok", **facts, **changes}).encode()


def test_a_compilation_comes_through_with_its_log(make_run: MakeRun, make_job: MakeJob) -> None:
    run = make_run(reply=reply(COMPILED), outputs=b"compiled")

    assert interpret(run, make_job(Task.COMPILE)) == CompileFacts(**COMPILED, log="what the entry printed")
    assert read_export(run, make_job(Task.COMPILE)) == b"compiled"


def test_a_trace_comes_through_with_its_log(make_run: MakeRun, make_job: MakeJob) -> None:
    found = interpret(make_run(reply=reply(TRACED)), make_job(Task.TRACE))

    assert found == TraceFacts(**{**TRACED, "output_shape": (1, 4)}, log="what the entry printed")


@pytest.mark.parametrize(("task", "facts"), REPLIES)
@pytest.mark.parametrize(
    "changes",
    [{"samples": -1}, {"batch": 0}, {"batch": True}, {"largest_output": float("nan")}, {"more": 1}],
    ids=lambda changes: next(iter(changes)),
)
def test_what_no_child_reports_is_refused(
    task: Task, facts: dict[str, Any], changes: dict[str, Any], make_run: MakeRun, make_job: MakeJob
) -> None:
    with pytest.raises(Rejected) as caught:
        interpret(make_run(reply=reply(facts, **changes)), make_job(task))

    assert caught.value.findings[0].facts == {"error": "an unreadable reply"}


@pytest.mark.parametrize(
    ("task", "code"), [(Task.COMPILE, "compilation_failed"), (Task.TRACE, "packaging_failed")]
)
def test_each_direction_has_a_code_of_its_own(
    task: Task, code: str, make_run: MakeRun, make_job: MakeJob
) -> None:
    failed = b'{"outcome": "export_failed", "facts": {"why": "no operator for it"}}'

    with pytest.raises(Rejected) as caught:
        interpret(make_run(reply=failed, exit_code=1), make_job(task))

    assert (caught.value.code, caught.value.log) == (code, "what the entry printed")
    assert "no operator for it" in render(caught.value.findings[0]).message


@pytest.mark.parametrize("task", [Task.COMPILE, Task.TRACE])
def test_a_written_model_may_be_as_long_as_a_file(task: Task, make_job: MakeJob) -> None:
    job = make_job(task)

    assert expected_output_bytes(job) == job.limits.max_file_bytes


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_package_is_compiled_in_the_sandbox(tmp_path: Path) -> None:
    if not available_targets(platform.machine()):
        pytest.skip("this processor is not an x86-64 one")
    entry = tmp_path / "entry"
    for name, content in byom_files({"model": "scripted"}).items():
        (entry / name).parent.mkdir(parents=True, exist_ok=True)
        (entry / name).write_bytes(content)

    compiled = compile_entry(
        entry,
        load_track("byom-classification").spec,
        target=X86_64_CPU,
        source=None,
        sandbox=BubblewrapSandbox(),
        workdir=tmp_path,
        note=lambda stage: None,
    )

    assert compiled.facts.differing == 0
    assert compiled.content


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_package_is_traced_checked_and_run_in_the_sandbox(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    entry.mkdir()
    (entry / "model.py").write_text(MODEL)

    packaged = export_byom(
        entry,
        load_track("cvpr2022-track1").spec,
        name="model",
        source=None,
        sandbox=BubblewrapSandbox(),
        workdir=tmp_path,
        note=lambda stage: None,
    )

    assert (packaged.report.usage.parameters, packaged.differing) == (400, 0)
    # Four sample pictures, a hundred numbers each.
    assert packaged.numbers == 400
