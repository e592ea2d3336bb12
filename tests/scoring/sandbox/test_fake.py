from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import Outcome, Task
from scoring.errors import Fault, Rejected
from scoring.sandbox.base import Job
from scoring.sandbox.exchange import CalibrateFacts, MeasureFacts, interpret, read_outputs
from scoring.sandbox.fake import FakeSandbox, Scripted, calibrated, failed, measured, predicted

MakeJob = Callable[[Task], Job]


def test_a_scripted_measurement_reads_like_a_real_one(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(Task.MEASURE)
    sandbox = FakeSandbox({Task.MEASURE: [measured(parameters=7, trainable_parameters=7)]})

    found = interpret(sandbox.run(job, workdir=tmp_path / "w", tick=lambda: None), job)

    assert isinstance(found, MeasureFacts)
    assert found.parameters == 7


def test_scripted_rows_come_out_as_they_went_in(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(Task.PREDICT)
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)

    run = FakeSandbox({Task.PREDICT: [predicted(rows)]}).run(job, workdir=tmp_path / "w", tick=lambda: None)

    assert read_outputs(run, job).tolist() == rows.tolist()


def test_a_scripted_calibration_reads_like_a_real_one(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(Task.CALIBRATE)
    sandbox = FakeSandbox({Task.CALIBRATE: [calibrated(macs=9, cpu_s=0.5)]})

    found = interpret(sandbox.run(job, workdir=tmp_path / "w", tick=lambda: None), job)

    assert found == CalibrateFacts(macs=9, cpu_s=0.5)


def test_a_scripted_failure_is_refused_with_its_code(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(Task.PREDICT)
    sandbox = FakeSandbox({Task.PREDICT: [failed(Outcome.WRONG_OUTPUT_KIND, found="a tuple")]})

    with pytest.raises(Rejected) as caught:
        interpret(sandbox.run(job, workdir=tmp_path / "w", tick=lambda: None), job)

    assert caught.value.code == "wrong_output_kind"


def test_scripts_are_played_in_turn_and_the_last_for_ever(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(Task.PREDICT)
    sandbox = FakeSandbox({Task.PREDICT: [Scripted(fault="killed"), Scripted(log="second")]})

    with pytest.raises(Fault):
        sandbox.run(job, workdir=tmp_path / "w", tick=lambda: None)
    logs = [sandbox.run(job, workdir=tmp_path / "w", tick=lambda: None).log for _ in range(2)]

    assert logs == ["second", "second"]
    assert sandbox.jobs == [job, job, job]
