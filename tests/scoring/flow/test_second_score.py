"""The second score, played by a fake sandbox: what each run is given, what is refused, what is reported."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from scoring.contracts import (
    EXACT_ARITHMETIC,
    Capture,
    Format,
    Metric,
    Outcome,
    Precision,
    Quantisation,
    ScoreReport,
    ScoreValue,
    Stage,
    Task,
    TrackSpec,
)
from scoring.errors import Fault, Rejected
from scoring.flow import pipeline
from scoring.flow.second_score import calibration_rows, enforce_drop
from scoring.readers import READERS
from scoring.sandbox import exchange
from scoring.sandbox.base import ExitStatus, Overflow
from scoring.sandbox.fake import FakeSandbox, Scripted, failed, measured, predicted
from scoring.tracks import load_track
from tests.played import GRAPH, answers, captured, captures, counted
from tests.tiny import splits, write_data, write_entry

# Too few for some of them to run twice.
LABELS = (1, 2, 3, 0, 1, 2, 3)
PRIVATE = (True, False, False, True, False, False, False)
WIDTH = 100
CALIBRATION_SAMPLES = 3
node = helper.make_node


def graph(*nodes: object, weight: np.ndarray, opset: int = 18) -> bytes:
    """Return a model of the track's input and output around the nodes."""
    tensors = {"w": weight, "scale": np.float32(0.1), "zero": np.uint8(0)}
    made = helper.make_graph(
        [node("GlobalAveragePool", ["x"], ["p"]), node("Flatten", ["p"], ["f"]), *nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 224, 224])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 100])],
        initializer=[numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return model.SerializeToString()


FLOAT = graph(node("MatMul", ["f", "w"], ["y"]), weight=np.zeros((3, 100), np.float32))
SMALL = graph(
    node("QuantizeLinear", ["f", "scale", "zero"], ["q"]),
    node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
    node("DequantizeLinear", ["w", "scale"], ["wd"]),
    node("MatMul", ["d", "wd"], ["y"]),
    weight=np.zeros((3, 100), np.int8),
)


def exported(content: bytes = FLOAT) -> Scripted:
    reply = {"outcome": "ok", "opset": 18, "samples": 4, "largest_difference": 0.0, "largest_output": 1.0}
    return Scripted(reply=json.dumps(reply).encode(), outputs=content, log="from the export")


def shrunk(content: bytes = SMALL, **changes: object) -> Scripted:
    return replace(Scripted(reply=b'{"outcome": "ok"}', outputs=content), **changes)


def rows(*classes: int) -> Scripted:
    """Script the prediction of these classes."""
    answers = np.zeros((len(classes), 100), np.float32)
    answers[np.arange(len(classes)), list(classes)] = 1
    return predicted(answers)


def box(
    *predictions: Scripted, export: Scripted | None = None, quantise: Scripted | None = None
) -> FakeSandbox:
    """Play an entry, whose predictions are given run by run."""
    return FakeSandbox(
        {
            **captures(WIDTH, log="from measure"),
            Task.EXPORT: [export or exported()],
            Task.QUANTISE: [quantise or shrunk()],
            Task.PREDICT: predictions,
        }
    )


@pytest.fixture
def track() -> TrackSpec:
    asked = Quantisation(calibration_samples=CALIBRATION_SAMPLES)
    return replace(load_track("cvpr2022-track1").spec, quantisation=asked)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Seven tiny images, two of them private; the pixel value is 10 times their number."""
    values = [10 * index for index in range(len(LABELS))]
    return write_data(tmp_path / "data", values=values, labels=LABELS, split=splits(PRIVATE))


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return write_entry(tmp_path)


@pytest.fixture
def score(entry: Path, track: TrackSpec, data: Path, tmp_path: Path) -> Callable[..., ScoreReport]:
    """Return a function that scores the entry, or another, on the track, or another."""
    workdir = tmp_path / "work"
    workdir.mkdir()

    def call(sandbox: FakeSandbox, *, of: Path = entry, on: TrackSpec = track, note=lambda _: None):
        return pipeline.score(
            of,
            on,
            data=data,
            benchmark=None,
            cache=tmp_path / "cache",
            sandbox=sandbox,
            workdir=workdir,
            note=note,
        )

    return call


@pytest.fixture
def in_order(data: Path, track: TrackSpec, tmp_path: Path) -> Callable[[], tuple[int, ...]]:
    """Return a function that tells the labels in the order in which the sandbox meets the samples."""

    def in_order() -> tuple[int, ...]:
        prepared = READERS[track.input.reader].prepare(data, contract=track.input, cache=tmp_path / "cache")
        return tuple(int(label) for label in prepared.labels)

    return in_order


@pytest.fixture
def right(in_order: Callable[[], tuple[int, ...]]) -> tuple[int, ...]:
    """The true classes of the samples."""
    return in_order()


def test_both_scores_of_both_splits_and_the_drop_are_reported(score, right, track) -> None:
    """Label 2 stands on two public samples of five, and on no private one."""
    again = tuple(99 if label == 2 else label for label in right)
    lenient = replace(track, quantisation=Quantisation(max_drop_points=50))

    report = score(box(rows(*right), rows(*again)), on=lenient)

    found = report.quantised
    assert report.scores["accuracy"].value == 1.0
    assert (found.scores["accuracy"].value, found.private_scores["accuracy"].value) == (3 / 5, 1.0)
    assert found.drop_points == pytest.approx(40)
    assert (found.precision, found.max_drop_points, found.share_in_8_bits) == (Precision.W8A8, 50, 1.0)
    assert found.calibration_samples == 5


def test_a_drop_beyond_the_allowed_is_refused_with_the_numbers(score, right) -> None:
    again = tuple(99 if label == 2 else label for label in right)

    with pytest.raises(Rejected) as caught:
        score(box(rows(*right), rows(*again)))

    facts = caught.value.findings[0].facts
    assert caught.value.code == "quantised_drop_over_budget"
    assert (facts["in_float"], facts["quantised"], facts["allowed"]) == (1.0, 3 / 5, 10.0)
    assert facts["found"] == pytest.approx(40)


def test_what_is_lost_on_private_samples_alone_is_no_reason_to_refuse(score, data, in_order) -> None:
    """A refusal tells its numbers, and those of the private split are not for everybody."""
    lines = (data / "labels.csv").read_text().splitlines()
    moved = [line.replace("public", "private") if line.split(",")[1] == "2" else line for line in lines]
    (data / "labels.csv").write_text("\n".join(moved) + "\n")
    right = in_order()
    again = tuple(99 if label == 2 else label for label in right)

    found = score(box(rows(*right), rows(*again))).quantised

    assert (found.drop_points, found.private_scores["accuracy"].value) == (0.0, 2 / 4)


def test_a_track_that_asks_for_one_score_does_nothing_more(score, right, track) -> None:
    sandbox = box(rows(*right))

    report = score(sandbox, on=replace(track, quantisation=None))

    assert report.quantised is None
    assert [job.request.task for job in sandbox.jobs] == [Task.MEASURE, Task.COUNT, Task.PREDICT]
    assert list(report.timings_s) == [stage.value for stage in Stage]


def test_the_runs_come_in_this_order_and_are_timed(score, right) -> None:
    sandbox = box(rows(*right))

    report = score(sandbox)

    assert [(job.request.task, job.request.captured, job.request.format) for job in sandbox.jobs] == [
        (Task.MEASURE, False, Format.CVPR_ZIP),
        (Task.COUNT, True, Format.CVPR_ZIP),
        (Task.EXPORT, True, Format.CVPR_ZIP),
        (Task.PREDICT, True, Format.CVPR_ZIP),
        (Task.QUANTISE, False, Format.ONNX),
        (Task.PREDICT, False, Format.ONNX),
    ]
    assert {"export", "quantise"} <= set(report.timings_s)


def test_only_the_quantised_graph_is_run_by_exact_sums(score, right) -> None:
    sandbox = box(rows(*right))

    score(sandbox)

    predictions = [job.request.options for job in sandbox.jobs if job.request.task is Task.PREDICT]
    assert [options.get(EXACT_ARITHMETIC, False) for options in predictions] == [False, True]


def test_each_run_is_given_the_graph_of_the_one_before(score, right) -> None:
    sandbox = box(rows(*right))

    score(sandbox)

    graphs = [(job.package / job.request.main).read_bytes() for job in sandbox.jobs[1:]]
    assert graphs == [GRAPH, GRAPH, GRAPH, FLOAT, SMALL]


def test_calibration_sees_public_samples_alone(score, right, data) -> None:
    sandbox = box(rows(*right))

    score(sandbox)

    (job,) = (job for job in sandbox.jobs if job.request.task is Task.QUANTISE)
    numbers = np.load(job.inputs)[:, 0, 0, 0] // 10
    assert (job.request.samples, len(numbers)) == (CALIBRATION_SAMPLES, CALIBRATION_SAMPLES)
    assert not any(PRIVATE[number] for number in numbers)


def test_the_lease_is_renewed_all_the_while(score, right) -> None:
    noted: list[Stage] = []
    sandbox = box(
        replace(rows(*right), ticks=5), quantise=shrunk(ticks=5), export=replace(exported(), ticks=5)
    )

    score(sandbox, note=noted.append)

    # Its own run and one more of five ticks each, five of the quantiser; each stage is announced as well.
    assert noted.count(Stage.PREDICT) >= 15
    assert noted.count(Stage.ENFORCE) >= 5


def test_few_samples_have_the_time_of_a_measurement(score, right, track) -> None:
    limits = replace(track.run_limits, measure_timeout_s=7, predict_timeout_s=70)
    sandbox = box(rows(*right))

    score(sandbox, on=replace(track, run_limits=limits))

    times = {job.request.task: job.timeout_s for job in sandbox.jobs}
    assert times.pop(Task.PREDICT) == 70
    assert times == dict.fromkeys((Task.MEASURE, Task.COUNT, Task.EXPORT, Task.QUANTISE), 7)


def test_an_onnx_entry_is_its_own_graph(score, right, track, tmp_path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(FLOAT)
    sandbox = box(rows(*right))
    sandbox.scripts = {**sandbox.scripts, Task.MEASURE: [measured()]}

    score(sandbox, of=path, on=replace(track, formats=(Format.ONNX,)))

    tasks = [job.request.task for job in sandbox.jobs]
    assert tasks == [Task.MEASURE, Task.PREDICT, Task.QUANTISE, Task.PREDICT]


def test_a_check_exports_and_no_more(entry, track, tmp_path) -> None:
    sandbox = box(rows(0))

    report = pipeline.check(entry, track, sandbox=sandbox, workdir=tmp_path, note=lambda stage: None)

    assert [job.request.task for job in sandbox.jobs] == [Task.MEASURE, Task.COUNT, Task.EXPORT]
    assert "export" in report.timings_s


def test_the_outputs_of_each_prediction_are_read_once(score, right, monkeypatch) -> None:
    read: list[Format] = []
    read_outputs = exchange.read_outputs
    monkeypatch.setattr(
        exchange, "read_outputs", lambda run, job: read.append(job.request.format) or read_outputs(run, job)
    )

    score(box(rows(*right)))

    assert read == [Format.CVPR_ZIP, Format.ONNX]


# --- one test for each way to be refused -----------------------------------------------------------


def test_what_cannot_be_exported_is_refused_before_hidden_data_with_its_log(score) -> None:
    failure = replace(failed(Outcome.EXPORT_FAILED, why="a branch"), log="the traceback")
    sandbox = box(rows(0), export=failure)

    with pytest.raises(Rejected) as caught:
        score(sandbox)

    assert (caught.value.code, caught.value.findings[0].facts["why"]) == ("export_failed", "a branch")
    assert caught.value.log == "the traceback"
    assert Task.PREDICT not in {job.request.task for job in sandbox.jobs}


@pytest.mark.parametrize("capture", [Capture.PREFERRED, Capture.OFF])
def test_what_is_no_graph_has_no_second_score(score, track, capture: Capture) -> None:
    """Whatever the track says of entries in general: there would be nothing to quantise."""
    sandbox = box(rows(0))
    sandbox.scripts = {
        **sandbox.scripts,
        Task.MEASURE: [captured(answers(WIDTH), b"", not_captured="it calls numpy")],
    }

    with pytest.raises(Rejected) as caught:
        score(sandbox, on=replace(track, budgets=replace(track.budgets, capture=capture)))

    assert (caught.value.code, caught.value.findings[0].facts["why"]) == ("not_captured", "it calls numpy")
    assert [job.request.task for job in sandbox.jobs] == [Task.MEASURE]


def test_an_export_that_needs_more_than_the_budget_is_refused(score, track) -> None:
    """The graph has 300 MACs; fewer than 300 are allowed."""
    budgets = replace(track.budgets, max_macs=300)
    sandbox = box(rows(0))
    sandbox.scripts = {**sandbox.scripts, Task.COUNT: [counted(answers(WIDTH), macs=10)]}

    with pytest.raises(Rejected) as caught:
        score(sandbox, on=replace(track, budgets=budgets))

    assert caught.value.code == "macs_over_budget"
    assert caught.value.findings[0].facts["found"] == 300


def test_an_exported_graph_may_take_more_room_than_the_package(score, right, track) -> None:
    budgets = replace(track.budgets, max_package_bytes=len(FLOAT) - 1)

    assert score(box(rows(*right)), on=replace(track, budgets=budgets)).quantised is not None


@pytest.mark.parametrize("content", [b"", b"no graph", FLOAT[:-20]])
@pytest.mark.parametrize("which", ["export", "quantise"])
def test_bytes_that_are_no_graph_are_refused(score, right, content: bytes, which: str) -> None:
    script = exported(content) if which == "export" else shrunk(content)

    with pytest.raises(Rejected) as caught:
        score(box(rows(*right), **{which: script}))

    assert caught.value.code == "unsupported_onnx"


def test_a_float_graph_in_place_of_the_quantised_one_is_refused(score, right) -> None:
    with pytest.raises(Rejected) as caught:
        score(box(rows(*right), quantise=shrunk(FLOAT)))

    facts = caught.value.findings[0].facts
    assert (caught.value.code, facts["precision"]) == ("quantisation_failed", "w8a8")
    assert facts["why"].startswith("only 0% of its MACs")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (failed(Outcome.QUANTISATION_FAILED, why="ValueError"), "quantisation_failed"),
        (failed(Outcome.LOAD_FAILED, why="pixel 17"), "load_failed"),
        (Scripted(reply=b'{"outcome": "ok", "rows": 3}'), "crashed"),
        (Scripted(reply=b'{"outcome": "ok", "samples": 1e99}'), "crashed"),
        (Scripted(reply=b"[" * 9_000), "crashed"),
        (Scripted(status=ExitStatus.TIMED_OUT), "timed_out"),
        (Scripted(status=ExitStatus.OUT_OF_MEMORY), "out_of_memory"),
        (Scripted(status=ExitStatus.TOO_MUCH_OUTPUT, overflow=Overflow.OUTPUTS), "too_much_output"),
    ],
)
def test_trouble_in_the_quantiser_is_the_entrants_and_says_nothing_of_the_samples(
    score, right, script: Scripted, code: str
) -> None:
    with pytest.raises(Rejected) as caught:
        score(box(rows(*right), quantise=replace(script, log="pixel 17")))

    assert caught.value.code == code
    assert caught.value.log == "from measure"
    assert "pixel" not in str(caught.value.findings)


def test_a_graph_longer_than_a_file_may_be_is_refused(score, right, track) -> None:
    limits = replace(track.run_limits, max_file_bytes=len(FLOAT))

    with pytest.raises(Rejected) as caught:
        score(box(rows(*right), quantise=shrunk(SMALL * 9)), on=replace(track, run_limits=limits))

    assert caught.value.code == "too_much_output"


def test_a_quantised_graph_that_answers_too_little_is_refused(score, right) -> None:
    with pytest.raises(Rejected) as caught:
        score(box(rows(*right), rows(*right[:-1])))

    assert caught.value.code == "wrong_output_count"


# --- the pure parts --------------------------------------------------------------------------------


def value(of: float) -> ScoreValue:
    return ScoreValue(value=of, ci=(of, of), higher_is_better=True, version="1")


@pytest.mark.parametrize(("before", "after"), [(0.75, 0.65), (0.9, 0.8), (0.3, 0.2), (1.0, 0.9), (0.5, 0.9)])
def test_a_drop_of_exactly_what_is_allowed_passes(track, before: float, after: float) -> None:
    found = enforce_drop(value(before), value(after), track, Quantisation(max_drop_points=10.0))

    assert found == pytest.approx(100 * (before - after))


def test_one_sample_of_a_hundred_thousand_more_is_too_much(track) -> None:
    with pytest.raises(Rejected) as caught:
        enforce_drop(value(0.75), value(0.64999), track, Quantisation(max_drop_points=10.0))

    assert caught.value.findings[0].facts["metric"] == Metric.ACCURACY


@pytest.mark.parametrize(
    ("private", "wanted", "expected"),
    [
        ([0, 0, 0, 0, 0, 0], 3, [0, 2, 4]),
        ([1, 0, 0, 1, 0, 0], 2, [1, 4]),
        ([1, 0, 0, 1, 0, 0], 9, [1, 2, 4, 5]),
        ([0, 0, 0, 0, 0, 0, 0], 3, [0, 2, 4]),
    ],
)
def test_calibration_rows_are_spread_over_the_public_split(
    private: list[int], wanted: int, expected: list[int]
) -> None:
    assert calibration_rows(np.array(private, np.bool_), wanted).tolist() == expected


def test_without_public_samples_there_is_nothing_to_calibrate_on() -> None:
    with pytest.raises(Fault, match="public"):
        calibration_rows(np.array([True, True]), 5)
