"""The flow in parts, its latency gate, and what of it is our own fault. The sandbox plays scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from scoring.contracts import Outcome, Stage, Task, TrackSpec, Verdict
from scoring.errors import Fault, Rejected
from scoring.flow import pipeline
from scoring.flow.pipeline import Examination
from scoring.sandbox import exchange
from scoring.sandbox.base import Job, Run
from scoring.sandbox.fake import FakeSandbox, Scripted, calibrated, failed, measured, predicted
from scoring.tracks import load_track
from tests.tiny import SIDE, uncaptured, write_data, write_entry

SAMPLES = 4
ROWS = np.random.default_rng(0).normal(size=(SAMPLES, 100)).astype(np.float32)


@pytest.fixture
def track() -> TrackSpec:
    return uncaptured(load_track("cvpr2022-track1").spec)


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return write_entry(tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    values = [9 * number for number in range(SAMPLES)]
    folder = write_data(tmp_path / "data", values=values, labels=range(SAMPLES))
    for number in range(SAMPLES):
        cv2.imwrite(str(folder / f"m{number}.png"), np.zeros((SIDE, SIDE), np.uint8))
    return folder


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def sandbox(**scripts: Scripted) -> FakeSandbox:
    return FakeSandbox(scripts={Task(task): [script] for task, script in scripts.items()})


@pytest.fixture
def score(entry: Path, data: Path, workdir: Path, tmp_path: Path) -> Callable[..., object]:
    def call(track: TrackSpec, box: FakeSandbox) -> object:
        return pipeline.score(
            entry,
            track,
            data=data,
            benchmark=None,
            cache=tmp_path / "cache",
            sandbox=box,
            workdir=workdir,
            note=lambda stage: None,
        )

    return call


# --- the latency gate


def gated(track: TrackSpec, max_ms: float | None) -> TrackSpec:
    return replace(track, budgets=replace(track.budgets, max_latency_ms=max_ms))


def test_a_track_without_a_gate_times_nothing(score, track: TrackSpec) -> None:
    box = sandbox(measure=measured(), predict=predicted(ROWS))

    report = score(track, box)

    assert report.usage.latency_p50_ms is None
    assert [job.request.task for job in box.jobs] == [Task.MEASURE, Task.PREDICT]


@pytest.mark.parametrize(("max_ms", "warnings", "runs"), [(1e9, [], 1), (1e-9, ["outside_latency_gate"], 2)])
def test_the_gate_warns_and_the_report_holds_the_time(
    score, track: TrackSpec, max_ms: float, warnings: list[str], runs: int
) -> None:
    box = sandbox(measure=measured(), predict=predicted(ROWS), latency=predicted(ROWS))

    report = score(gated(track, max_ms), box)

    assert report.verdict is Verdict.SCORED
    assert [warning.code for warning in report.warnings] == warnings
    assert 0 <= report.usage.latency_p50_ms <= report.usage.latency_p95_ms
    assert [job.request.task for job in box.jobs].count(Task.LATENCY) == runs


def test_a_faster_model_for_the_clock_is_refused(score, track: TrackSpec) -> None:
    box = sandbox(measure=measured(), predict=predicted(ROWS), latency=predicted(-ROWS))

    with pytest.raises(Rejected) as caught:
        score(gated(track, 1e9), box)

    assert caught.value.code == "latency_answers_differ"
    assert caught.value.findings[0].facts == {"found": SAMPLES, "total": SAMPLES}


@pytest.mark.parametrize("max_ms", [None, 1e9])
def test_the_outputs_are_read_once_with_and_without_a_gate(
    score, track: TrackSpec, max_ms: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Task] = []
    read_outputs = exchange.read_outputs

    def counting(run: Run, job: Job) -> np.ndarray:
        read.append(job.request.task)
        return read_outputs(run, job)

    monkeypatch.setattr(exchange, "read_outputs", counting)

    score(gated(track, max_ms), sandbox(measure=measured(), predict=predicted(ROWS), latency=predicted(ROWS)))

    assert read == [Task.PREDICT]


# --- in parts


@pytest.fixture
def examine(entry: Path, track: TrackSpec, workdir: Path) -> Callable[[FakeSandbox], Examination]:
    return lambda box: pipeline.examine(entry, track, sandbox=box, workdir=workdir, note=lambda stage: None)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    path = tmp_path / "inputs.npy"
    np.save(path, np.zeros((SAMPLES, 3, 224, 224), np.uint8))
    return path


def test_an_examined_entry_holds_its_package_its_report_and_the_settled_track(
    examine, track: TrackSpec, workdir: Path
) -> None:
    box = sandbox(measure=measured(parameters=7, trainable_parameters=5))

    examination = examine(box)

    assert (examination.model.package.main, examination.model.package.root) == (
        "model.py",
        workdir / "package",
    )
    assert (examination.report.verdict, examination.report.usage.parameters) == (Verdict.ACCEPTED, 7)
    assert examination.model.track.input == track.input
    assert [job.request.task for job in box.jobs] == [Task.MEASURE]


def test_a_part_is_predicted_with_its_own_inputs_and_seed(examine, inputs: Path) -> None:
    box = sandbox(measure=measured(), predict=replace(predicted(ROWS), cpu_s=0.5, wall_s=0.25))

    part = pipeline.predict_part(examine(box), inputs, samples=SAMPLES, seed=42)

    assert np.array_equal(part.predictions, ROWS)
    assert (part.cpu_s, part.wall_s) == (0.5, 0.25)
    request = box.jobs[-1].request
    assert (box.jobs[-1].inputs, request.seed, request.samples) == (inputs, 42, SAMPLES)


def test_a_part_with_rows_missing_is_refused(examine, inputs: Path) -> None:
    box = sandbox(measure=measured(), predict=predicted(ROWS[:-1]))

    with pytest.raises(Rejected) as caught:
        pipeline.predict_part(examine(box), inputs, samples=SAMPLES, seed=0)

    assert caught.value.code == "wrong_output_count"


def test_a_part_that_hides_work_is_refused(examine, inputs: Path) -> None:
    slow = replace(predicted(ROWS), cpu_s=10_000.0, wall_s=0.1)
    box = sandbox(measure=measured(), predict=slow, calibrate=calibrated(macs=10**12, cpu_s=1.0))
    examination = examine(box)
    model = examination.model
    limits = replace(model.track.run_limits, predict_timeout_s=100_000.0)
    patient = replace(model, track=replace(model.track, run_limits=limits))

    with pytest.raises(Rejected) as caught:
        pipeline.predict_part(replace(examination, model=patient), inputs, samples=SAMPLES, seed=0)

    assert caught.value.code == "hidden_work"
    assert caught.value.usage.parameters == 1_000


def test_a_part_that_is_refused_tells_what_the_examination_found(examine, inputs: Path) -> None:
    box = sandbox(
        measure=measured(log="from measure"),
        predict=replace(failed(Outcome.CRASHED, why="ValueError"), log="hidden pixel 17"),
    )
    examination = examine(box)

    with pytest.raises(Rejected) as caught:
        pipeline.predict_part(examination, inputs, samples=SAMPLES, seed=0)

    told = caught.value
    assert (told.log, told.usage, told.package) == (
        "from measure",
        examination.report.usage,
        examination.model.package,
    )
    assert list(told.timings_s) == ["intake", "inspect", "measure", "enforce"]


# --- our own fault


def test_a_workdir_that_cannot_take_a_run_is_our_fault(examine, workdir: Path) -> None:
    (workdir / "run-measure").write_text("a file where a folder should be")

    with pytest.raises(Fault, match="FileExistsError on our side"):
        examine(sandbox(measure=measured()))


def test_a_dataset_of_another_kind_is_our_fault(score, track: TrackSpec, data: Path) -> None:
    rows = [f"{number}.png,m{number}.png" for number in range(SAMPLES)]
    (data / "labels.csv").write_text("\n".join(["file,mask", *rows]) + "\n")

    with pytest.raises(Fault, match="scored against classes, but the dataset has masks"):
        score(track, sandbox(measure=measured(), predict=predicted(ROWS)))


def test_a_lost_lease_ends_a_part(entry: Path, track: TrackSpec, workdir: Path, inputs: Path) -> None:
    class LeaseLost(Exception):
        pass

    def note(stage: Stage) -> None:
        if stage is Stage.PREDICT:
            raise LeaseLost

    box = sandbox(measure=measured(), predict=predicted(ROWS))
    examination = pipeline.examine(entry, track, sandbox=box, workdir=workdir, note=note)

    with pytest.raises(LeaseLost):
        pipeline.predict_part(examination, inputs, samples=SAMPLES, seed=0)
