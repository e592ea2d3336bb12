"""Which graph is believed: one that was written before its trials showed, and answers as its entry does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import Capture, Format, Outcome, Stage, Task, TrackSpec
from scoring.errors import Fault, Rejected
from scoring.flow import pipeline
from scoring.flow.trials import TRIALS, draw
from scoring.sandbox.base import ExitStatus
from scoring.sandbox.fake import FakeSandbox, Scripted, failed, measured, predicted
from scoring.tracks import load_track
from tests.played import GRAPH, answers, captured, counted
from tests.tiny import splits, uncaptured, write_data, write_entry, write_graph

WIDTH = 1
ROWS = answers(WIDTH)


@dataclass
class Looking(FakeSandbox):
    """Keeps what the package of each task held."""

    held: dict[Task, Mapping[str, bytes]] = field(default_factory=dict)

    def run(self, job, *, workdir, tick):  # type: ignore[no-untyped-def]
        self.held[job.request.task] = {path.name: path.read_bytes() for path in job.package.iterdir()}
        return super().run(job, workdir=workdir, tick=tick)


def sandbox(**scripts: Scripted) -> Looking:
    """Play each script; an entry is measured once more where its graph is not believed."""
    again = measured(parameters=1_000, macs=5_000)
    return Looking(
        scripts={Task(task): [script, again][: 1 + (task == "measure")] for task, script in scripts.items()}
    )


@pytest.fixture
def track() -> TrackSpec:
    return load_track("cvpr2022-track2").spec


@pytest.fixture
def check(track: TrackSpec, tmp_path: Path) -> Callable[..., object]:
    entry = write_entry(tmp_path)
    (tmp_path / "work").mkdir()

    def call(box: FakeSandbox, spec: TrackSpec = track) -> object:
        return pipeline.check(entry, spec, sandbox=box, workdir=tmp_path / "work", note=lambda stage: None)

    return call


def test_a_graph_that_answers_alike_is_what_is_counted(check) -> None:
    usage = check(sandbox(measure=captured(ROWS), count=counted(ROWS))).usage

    assert usage.captured
    assert (usage.macs, usage.binding_counter, usage.macs_by_counter["dispatch"]) == (7_000, "graph", 5_000)


@pytest.mark.parametrize(("registered", "held"), [(1_000, 1_200), (1_300, 1_200)])
def test_the_larger_of_what_is_registered_and_what_the_graph_holds_applies(
    check, registered: int, held: int
) -> None:
    report = check(
        sandbox(measure=captured(ROWS, parameters=registered), count=counted(ROWS, parameters=held))
    )

    assert report.usage.parameters == max(registered, held)


def test_the_graph_predicts_and_nothing_of_the_entry_is_there(track: TrackSpec, tmp_path: Path) -> None:
    data = write_data(tmp_path / "data", values=[0] * 6, labels=[0] * 6, split=splits([False] * 6))
    box = sandbox(
        measure=captured(ROWS), count=counted(ROWS), predict=predicted(np.ones((6, WIDTH), np.float32))
    )
    (tmp_path / "work").mkdir()

    report = pipeline.score(
        write_entry(tmp_path),
        track,
        data=data,
        benchmark=None,
        cache=tmp_path / "cache",
        sandbox=box,
        workdir=tmp_path / "work",
        note=lambda stage: None,
    )

    assert report.usage.captured
    assert list(box.held[Task.MEASURE]) == ["model.py"]
    for task in (Task.COUNT, Task.PREDICT):
        assert list(box.held[task].values()) == [GRAPH]
    assert [job.request.captured for job in box.jobs] == [False, True, True]


def test_a_later_rejection_tells_of_the_entry_and_not_of_its_graph(track: TrackSpec, tmp_path: Path) -> None:
    np.save(tmp_path / "inputs.npy", np.zeros((2, 3, 224, 224), np.uint8))
    (tmp_path / "work").mkdir()
    box = sandbox(
        measure=captured(ROWS), count=counted(ROWS), predict=failed(Outcome.CRASHED, why="ValueError")
    )
    examination = pipeline.examine(
        write_entry(tmp_path), track, sandbox=box, workdir=tmp_path / "work", note=lambda stage: None
    )

    with pytest.raises(Rejected) as refused:
        pipeline.predict_part(examination, tmp_path / "inputs.npy", samples=2, seed=0)

    assert refused.value.package is not None
    assert refused.value.package.main == "model.py"


def changed(rows: np.ndarray, by: float) -> np.ndarray:
    other = rows.copy()
    other[3, 0] += by
    return other


ENDINGS = {
    "no graph": (captured(ROWS, b"", not_captured="it uses numpy"), counted(ROWS), "it uses numpy"),
    "a graph that is cut": (
        Scripted(reply=captured(ROWS).reply, outputs=captured(ROWS).outputs[:10]),
        counted(ROWS),
        "larger than a run may write",
    ),
    "other answers": (captured(ROWS), counted(changed(ROWS, 1.0)), "other answers than the model to 1 of 10"),
    "answers that are no numbers": (captured(ROWS), counted(changed(ROWS, np.nan)), "other answers"),
    "fewer answers": (captured(ROWS), counted(ROWS[:-1]), "another number of rows"),
    "no answers of the model": (captured(ROWS[:0]), counted(ROWS), "another number of rows"),
    "an operator that it must not use": (
        captured(ROWS),
        failed(Outcome.LOAD_FAILED, why="aten::rand"),
        "aten::rand",
    ),
    "a crash": (captured(ROWS), failed(Outcome.CRASHED, why="ValueError"), "could not be run"),
    "too much memory": (captured(ROWS), Scripted(status=ExitStatus.OUT_OF_MEMORY), "could not be run"),
    "too much time": (captured(ROWS), Scripted(status=ExitStatus.TIMED_OUT), "could not be run"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_an_entry_without_a_graph_to_believe_is_counted_by_running_it(check, name: str) -> None:
    measure, count, words = ENDINGS[name]

    report = check(sandbox(measure=measure, count=count))

    assert report.usage.captured is False
    assert words in report.usage.not_captured
    assert (report.usage.macs, report.usage.parameters) == (5_000, 1_000)
    assert "counted_by_running" in [warning.code for warning in report.warnings]


@pytest.mark.parametrize("name", ENDINGS)
def test_a_track_that_requires_a_graph_refuses_it(check, track: TrackSpec, name: str) -> None:
    measure, count, words = ENDINGS[name]

    with pytest.raises(Rejected) as refused:
        check(sandbox(measure=measure, count=count), asking(track, Capture.REQUIRED))

    assert refused.value.code == "not_captured"
    assert words in str(refused.value.findings[0].facts["why"])


def asking(track: TrackSpec, capture: Capture) -> TrackSpec:
    spec = uncaptured(track)
    return type(spec)(
        **{**vars(spec), "budgets": type(spec.budgets)(**{**vars(spec.budgets), "capture": capture})}
    )


def test_small_differences_are_rounding(check) -> None:
    assert check(sandbox(measure=captured(ROWS), count=counted(changed(ROWS, 1e-3)))).usage.captured


def test_nothing_is_captured_where_the_track_wants_none(check, track: TrackSpec) -> None:
    box = sandbox(measure=measured())

    report = check(box, uncaptured(track))

    assert report.usage.captured is None
    assert [job.request.trials for job in box.jobs] == [0]


def test_a_fault_while_counting_is_ours(check) -> None:
    with pytest.raises(Fault, match="broken"):
        check(sandbox(measure=captured(ROWS), count=Scripted(fault="broken")))


def test_an_onnx_entry_is_a_graph_already(track: TrackSpec, tmp_path: Path) -> None:
    box = sandbox(measure=measured())
    (tmp_path / "work").mkdir()
    spec = type(track)(**{**vars(track), "formats": (Format.ONNX,)})

    report = pipeline.check(
        write_graph(tmp_path), spec, sandbox=box, workdir=tmp_path / "work", note=lambda stage: None
    )

    assert report.usage.captured
    assert [(job.request.task, job.request.trials) for job in box.jobs] == [(Task.MEASURE, 0)]


def test_every_run_renews_the_lease_as_the_measure_stage(track: TrackSpec, tmp_path: Path) -> None:
    notes: list[Stage] = []
    (tmp_path / "work").mkdir()

    pipeline.check(
        write_entry(tmp_path),
        track,
        sandbox=sandbox(measure=captured(ROWS), count=counted(ROWS)),
        workdir=tmp_path / "work",
        note=notes.append,
    )

    assert notes.count(Stage.MEASURE) >= 3


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 3, 8, 8), (64,)])
def test_drawn_trials_are_like_the_samples_and_never_the_same(dtype: type, shape: tuple[int, ...]) -> None:
    samples = (np.random.default_rng(0).random((4, *shape)) * 255).astype(dtype)

    one, other = draw(samples), draw(samples)

    assert one.shape == (TRIALS, *shape)
    assert one.dtype == samples.dtype
    assert np.abs(one.astype(float)).max() <= np.abs(samples.astype(float)).max()
    assert not np.array_equal(one, other)
