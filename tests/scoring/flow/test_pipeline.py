"""The flow: stages in order, each way to end, and what the report says. The sandbox plays scripts."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.budget.allowance import START_UP_CPU_S
from scoring.contracts import Format, MacsCounter, Outcome, Stage, Task, TrackSpec, Verdict
from scoring.errors import Fault, Rejected
from scoring.flow import pipeline, stages
from scoring.sandbox.base import ExitStatus
from scoring.sandbox.fake import FakeSandbox, Scripted, calibrated, failed, measured, predicted
from scoring.tracks import load_track
from tests.tiny import GRAPH_PARAMETERS, splits, uncaptured, write_data, write_entry, write_graph

LABELS = (0, 1, 2, 3, 0, 1)
PRIVATE = (False, True, False, False, True, False)


@pytest.fixture
def track() -> TrackSpec:
    return uncaptured(load_track("cvpr2022-track1").spec)


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return write_entry(tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Six tiny images, two of them private; the pixel value is 10 times the label."""
    values = [10 * label for label in LABELS]
    return write_data(tmp_path / "data", values=values, labels=LABELS, split=splits(PRIVATE))


class AnsweringSandbox(FakeSandbox):
    """Looks at the inputs like a model would: the class is a tenth of the pixel value."""

    def run(self, job, *, workdir, tick):  # type: ignore[no-untyped-def]
        if job.request.task is Task.PREDICT:
            pixels = np.load(job.inputs, mmap_mode="r")[:, 0, 0, 0]
            rows = np.zeros((len(pixels), 100), np.float32)
            rows[np.arange(len(pixels)), np.round(pixels / 10).astype(int)] = 1
            self.scripts = {**self.scripts, Task.PREDICT: [replace(predicted(rows), cpu_s=self.cpu_s)]}
        return super().run(job, workdir=workdir, tick=tick)

    cpu_s: float = 0.1


def retold(script: Scripted, **changes: object) -> Scripted:
    """Return the script with a reply that says something else in some of its fields."""
    return replace(script, reply=json.dumps({**json.loads(script.reply), **changes}).encode())


def sandbox(**scripts: Scripted) -> FakeSandbox:
    return FakeSandbox(scripts={Task(task): [script] for task, script in scripts.items()})


@pytest.fixture
def check(entry: Path, track: TrackSpec, tmp_path: Path) -> Callable[[FakeSandbox], object]:
    workdir = tmp_path / "work"
    workdir.mkdir()
    return lambda box: pipeline.check(entry, track, sandbox=box, workdir=workdir, note=lambda stage: None)


@pytest.fixture
def score(entry: Path, track: TrackSpec, data: Path, tmp_path: Path) -> Callable[..., object]:
    workdir = tmp_path / "work"
    workdir.mkdir()

    def call(box: FakeSandbox, note: Callable[[Stage], None] = lambda stage: None) -> object:
        return pipeline.score(
            entry,
            track,
            data=data,
            benchmark="sha256:b",
            cache=tmp_path / "cache",
            sandbox=box,
            workdir=workdir,
            note=note,
        )

    return call


def test_an_accepted_entry_has_its_usage_and_log(check) -> None:
    report = check(sandbox(measure=measured(parameters=7, trainable_parameters=5, macs=11, log="hello")))

    assert report.verdict is Verdict.ACCEPTED
    assert (report.usage.parameters, report.usage.trainable_parameters, report.usage.macs) == (7, 5, 11)
    assert report.log == "hello"
    assert report.scores == {}


def test_checking_never_predicts(check) -> None:
    box = sandbox(measure=measured())

    check(box)

    assert [job.request.task for job in box.jobs] == [Task.MEASURE]


def test_a_perfect_model_scores_one_on_both_splits(score) -> None:
    report = score(AnsweringSandbox(scripts={Task.MEASURE: [measured()]}))

    assert report.verdict is Verdict.SCORED
    assert report.scores["accuracy"].value == report.private_scores["accuracy"].value == 1.0
    assert (report.samples, report.benchmark) == (len(LABELS), "sha256:b")


def test_the_breakdown_counts_the_public_split_alone_by_label_and_group(score, data: Path) -> None:
    rows = (data / "labels.csv").read_text().splitlines()
    grouped = [rows[0] + ",group", *(f"{row},{'odd' if int(row[0]) % 2 else 'even'}" for row in rows[1:])]
    (data / "labels.csv").write_text("\n".join(grouped) + "\n")

    told = score(AnsweringSandbox(scripts={Task.MEASURE: [measured()]})).breakdown

    # Files 0, 2, 3 and 5 are public, with the labels 0, 2, 3 and 1.
    assert {label: share.samples for label, share in told.by_label.items()} == dict.fromkeys("0123", 1)
    assert {group: (share.samples, share.accuracy) for group, share in told.by_group.items()} == {
        "even": (2, 1.0),
        "odd": (2, 1.0),
    }


def test_a_rejection_keeps_the_format_and_the_warnings(entry: Path, check) -> None:
    with zipfile.ZipFile(entry, "w") as archive:
        archive.writestr("mine/model.py", "class Model: ...\n")

    with pytest.raises(Rejected) as refused:
        check(sandbox(measure=measured(parameters=31_000_000)))

    assert refused.value.code == "parameters_over_budget"
    assert [finding.code for finding in refused.value.warnings] == ["wrapping_folder"]
    assert refused.value.package is not None
    assert refused.value.package.format is Format.CVPR_ZIP


def test_a_rejection_by_counts_of_the_files_keeps_what_the_files_warned_of(tmp_path: Path) -> None:
    track = load_track("gasbench-onnx-image").spec
    strict = replace(track, budgets=replace(track.budgets, max_parameters=1))
    graph = write_graph(tmp_path, sides=("h", "w"))

    with pytest.raises(Rejected) as refused:
        pipeline.check(graph, strict, sandbox=sandbox(), workdir=tmp_path, note=lambda stage: None)

    assert refused.value.code == "parameters_over_budget"
    assert "open_input_size" in {finding.code for finding in refused.value.warnings}
    assert list(refused.value.timings_s) == ["intake"]


def test_a_rejection_before_recognition_knows_no_format(entry: Path, check) -> None:
    entry.write_bytes(b"no archive")

    with pytest.raises(Rejected) as refused:
        check(sandbox())

    assert (refused.value.code, refused.value.package) == ("not_an_archive", None)


def test_numbers_that_a_package_states_reach_the_metrics() -> None:
    options = {"threshold": 1, "overlap": 0.25, "flag": True, "name": "0.5", "sizes": [1]}

    assert stages.stated_numbers(options) == {"threshold": 1.0, "overlap": 0.25}


def test_public_and_private_samples_are_scored_apart(score) -> None:
    rows = np.zeros((len(LABELS), 100), np.float32)
    rows[:, 0] = 1

    report = score(sandbox(measure=measured(), predict=predicted(rows)))

    assert report.scores["accuracy"].value == 1 / 4
    assert report.private_scores["accuracy"].value == 1 / 2


def test_stages_are_announced_in_order(score) -> None:
    noted: list[Stage] = []

    score(AnsweringSandbox(scripts={Task.MEASURE: [measured()]}), noted.append)

    assert list(dict.fromkeys(noted)) == list(Stage)


def test_every_stage_is_timed(score) -> None:
    report = score(AnsweringSandbox(scripts={Task.MEASURE: [measured()]}))

    assert list(report.timings_s) == [stage.value for stage in Stage]


def test_what_note_raises_ends_the_work_and_passes_through(score) -> None:
    class LeaseLost(Exception):
        pass

    def note(stage: Stage) -> None:
        if stage is Stage.PREDICT:
            raise LeaseLost

    with pytest.raises(LeaseLost):
        score(AnsweringSandbox(scripts={Task.MEASURE: [measured()]}), note)


def test_labels_and_file_names_do_not_enter_the_sandbox(score) -> None:
    box = AnsweringSandbox(scripts={Task.MEASURE: [measured()]})

    score(box)

    job = box.jobs[-1]
    assert np.load(job.inputs).shape == (len(LABELS), 3, 224, 224)
    assert "label" not in job.request.to_json()
    assert ".png" not in job.request.to_json()


def test_over_budget_is_refused_before_hidden_data_is_touched(score) -> None:
    box = sandbox(measure=measured(parameters=30_000_001, macs=5_000_000_000, log="seen"))

    with pytest.raises(Rejected) as caught:
        score(box)

    codes = [finding.code for finding in caught.value.findings]
    assert codes == ["parameters_over_budget", "macs_over_budget"]
    assert caught.value.log == "seen"
    assert caught.value.usage.parameters == 30_000_001
    assert [job.request.task for job in box.jobs] == [Task.MEASURE]


def test_the_largest_parameter_budget_is_inclusive(check) -> None:
    assert (
        check(sandbox(measure=measured(parameters=30_000_000, macs=4_999_999_999))).usage.parameters
        == 30_000_000
    )


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (failed(Outcome.LOAD_FAILED, why="no module named foo"), "load_failed"),
        (failed(Outcome.CRASHED, why="ValueError"), "crashed"),
        (Scripted(status=ExitStatus.TIMED_OUT), "timed_out"),
        (Scripted(status=ExitStatus.OUT_OF_MEMORY), "out_of_memory"),
        (Scripted(reply=b"not json"), "crashed"),
        (failed(Outcome.WRONG_OUTPUT_SHAPE, found="(4, 10)", batch=4), "wrong_output_shape"),
    ],
)
def test_trouble_in_either_run_is_the_entrants(score, script: Scripted, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        score(sandbox(measure=measured(), predict=script))

    assert caught.value.code == code


def test_a_rejection_from_predict_carries_the_log_of_measure_only(score) -> None:
    hostile = replace(failed(Outcome.CRASHED, why="ValueError"), log="hidden pixel 17")

    with pytest.raises(Rejected) as caught:
        score(sandbox(measure=measured(log="from measure"), predict=hostile))

    assert caught.value.log == "from measure"


def test_values_that_are_not_finite_are_counted(score) -> None:
    rows = np.zeros((len(LABELS), 100), np.float32)
    rows[2, 3:5] = np.nan

    with pytest.raises(Rejected) as caught:
        score(sandbox(measure=measured(), predict=predicted(rows)))

    finding = caught.value.findings[0]
    assert (finding.code, finding.facts["found"], finding.facts["total"]) == ("not_finite", 2, rows.size)


def test_a_sandbox_that_fails_is_our_fault(score) -> None:
    with pytest.raises(Fault):
        score(sandbox(measure=Scripted(fault="bubblewrap is missing")))


def test_a_dataset_that_cannot_be_read_is_our_fault(score, data: Path) -> None:
    (data / "3.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")

    with pytest.raises(Fault):
        score(AnsweringSandbox(scripts={Task.MEASURE: [measured()]}))


def test_a_full_disk_is_our_fault(check, tmp_path: Path) -> None:
    (tmp_path / "work" / "package").write_text("in the way")

    with pytest.raises(Fault):
        check(sandbox(measure=measured()))


@pytest.mark.parametrize(
    ("official", "counted", "binding"),
    [
        (MacsCounter.EXACT, {"dispatch": 5_000_000_000, "ptflops": 1, "fvcore": 1}, "dispatch"),
        (MacsCounter.PTFLOPS, {"dispatch": 1, "ptflops": 5_000_000_000, "fvcore": None}, "ptflops"),
        (MacsCounter.LARGEST, {"dispatch": 1, "ptflops": 1, "fvcore": 5_000_000_000}, "fvcore"),
    ],
)
def test_the_counter_that_the_track_names_binds(
    entry: Path,
    track: TrackSpec,
    tmp_path: Path,
    official: MacsCounter,
    counted: dict[str, int | None],
    binding: str,
) -> None:
    box = sandbox(measure=retold(measured(), macs_by_counter=counted))
    named = replace(track, budgets=replace(track.budgets, macs_counter=official))

    with pytest.raises(Rejected) as caught:
        pipeline.check(entry, named, sandbox=box, workdir=tmp_path, note=lambda stage: None)

    finding = caught.value.findings[0]
    assert (finding.code, finding.facts["counter"]) == ("macs_over_budget", binding)


def test_counts_far_apart_are_explained(check) -> None:
    counted = {"dispatch": 10**9, "ptflops": 11 * 10**8, "fvcore": 10**9}

    report = check(sandbox(measure=retold(measured(), macs_by_counter=counted)))

    assert "counters_differ" in {finding.code for finding in report.warnings}


@pytest.mark.parametrize("told", [1, GRAPH_PARAMETERS + 1])
def test_of_parameters_counted_inside_and_outside_the_larger_number_binds(
    track: TrackSpec, tmp_path: Path, told: int
) -> None:
    graph = write_graph(tmp_path)
    workdir = tmp_path / "work"
    workdir.mkdir()
    box = sandbox(measure=measured(parameters=told, trainable_parameters=0))

    report = pipeline.check(
        graph, replace(track, formats=(Format.ONNX,)), sandbox=box, workdir=workdir, note=lambda stage: None
    )

    assert report.usage.parameters == max(told, GRAPH_PARAMETERS)


def test_every_run_gets_the_seed_the_threads_and_the_batch_size_of_the_track(
    entry: Path, track: TrackSpec, data: Path, tmp_path: Path
) -> None:
    limits = replace(track.run_limits, seed=17, threads=3, batch_size=5)
    box = AnsweringSandbox(scripts={Task.MEASURE: [measured()]})
    workdir = tmp_path / "work"
    workdir.mkdir()

    pipeline.score(
        entry,
        replace(track, run_limits=limits),
        data=data,
        benchmark="sha256:b",
        cache=tmp_path / "cache",
        sandbox=box,
        workdir=workdir,
        note=lambda stage: None,
    )

    requests = [job.request for job in box.jobs]
    assert [request.task for request in requests] == [Task.MEASURE, Task.PREDICT]
    assert {(request.seed, request.threads, request.batch_size) for request in requests} == {(17, 3, 5)}


def test_an_early_refusal_runs_no_sandbox(check, entry: Path) -> None:
    entry.write_bytes(b"PK\x03\x04 cut off")
    box = sandbox(measure=measured())

    with pytest.raises(Rejected):
        check(box)

    assert box.jobs == []


# --- work that counters cannot see -------------------------------------------------------------


def busy(cpu_s: float, *rates: float) -> AnsweringSandbox:
    scripts = {
        Task.MEASURE: [measured()],
        Task.CALIBRATE: [calibrated(macs=int(rate), cpu_s=1.0) for rate in rates],
    }
    box = AnsweringSandbox(scripts=scripts)
    box.cpu_s = cpu_s
    return box


def test_little_processor_time_needs_no_calibration(score) -> None:
    box = busy(1.0)

    report = score(box)

    assert Task.CALIBRATE not in {job.request.task for job in box.jobs}
    assert report.usage.cpu_s_per_sample == 1.0 / len(LABELS)


def test_too_much_processor_time_is_hidden_work(score) -> None:
    with pytest.raises(Rejected) as caught:
        score(busy(100.0, 20e9, 20e9))

    finding = caught.value.findings[0]
    assert finding.code == "hidden_work"
    assert finding.facts["found"] == 100.0 / len(LABELS)
    assert finding.facts["allowed"] == pytest.approx(START_UP_CPU_S / len(LABELS) + 4 * 5e9 / 20e9)


def test_a_machine_that_is_slow_now_gets_the_benefit_of_the_slower_calibration(score) -> None:
    assert score(busy(100.0, 20e9, 1e9)).verdict is Verdict.SCORED


def test_operators_that_nobody_could_count_are_named_once_and_not_without_end(check) -> None:
    names = [f"op{number:02}" for number in range(25)]

    report = check(sandbox(measure=retold(measured(), uncounted_ops=names)))

    assert [finding.code for finding in report.warnings] == ["uncounted_ops"]
    assert report.warnings[0].facts == {"ops": ", ".join(names[:20]) + " and others"}
