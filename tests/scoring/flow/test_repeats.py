"""Which samples run twice, and which differences between two answers to a sample are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import Format, OutputKind, Package, Task
from scoring.errors import Rejected
from scoring.flow import repeats
from scoring.flow.found import Loadable
from scoring.flow.runs import Tools
from scoring.readers import PreparedData
from scoring.sandbox.fake import FakeSandbox, predicted
from scoring.tracks import load_track

KIND = OutputKind.LOGITS
RNG = np.random.default_rng(5)


def model(batch_size: int = 32) -> Loadable:
    spec = load_track("cvpr2022-track1").spec
    track = replace(
        spec,
        input=replace(spec.input, shape=(3, 2, 2)),
        run_limits=replace(spec.run_limits, batch_size=batch_size),
    )
    package = Package(format=Format.CVPR_ZIP, root=Path("/package"), main="model.py", package_bytes=1)
    return Loadable(package=package, track=track, options={})


@pytest.mark.parametrize(
    ("samples", "count"), [(1, 0), (7, 0), (8, 8), (12, 8), (80, 8), (200, 20), (640, 64), (100_000, 64)]
)
def test_a_share_of_the_samples_runs_twice(samples: int, count: int) -> None:
    rows = repeats.repeated_rows(samples)

    assert len(set(rows.tolist())) == len(rows) == count
    assert all(0 <= row < samples for row in rows)


def test_samples_run_again_in_another_order_and_always_the_same() -> None:
    rows = repeats.repeated_rows(300).tolist()

    assert rows != sorted(rows)
    assert rows == repeats.repeated_rows(300).tolist()


@pytest.mark.parametrize(("first", "second"), [(32, 21), (4, 2), (3, 2), (2, 1), (1, 1)])
def test_samples_run_again_in_smaller_batches(first: int, second: int) -> None:
    assert repeats.in_other_batches(model(first)).track.run_limits.batch_size == second


def test_the_repeated_samples_are_those_of_the_rows(tmp_path: Path) -> None:
    samples = np.arange(120, dtype=np.uint8).reshape(10, 3, 2, 2)
    np.save(tmp_path / "inputs.npy", samples)
    rows = np.array([7, 0, 3])

    path = repeats.write_repeated(tmp_path / "inputs.npy", rows, model(), tmp_path)

    assert (np.load(path) == samples[rows]).all()


def test_rounding_is_no_dependence() -> None:
    first = RNG.normal(size=(20, 4))
    rows = repeats.repeated_rows(20)
    again = first[rows] * (1 + 1e-6 * RNG.normal(size=(len(rows), 4)))

    repeats.refuse_dependence(again.astype(np.float32), first[rows].astype(np.float32), KIND)


def test_one_answer_in_ten_may_fall_otherwise() -> None:
    first = RNG.normal(size=(200, 4))
    rows = repeats.repeated_rows(200)
    again = first[rows]
    again[:2] = -again[:2]

    repeats.refuse_dependence(again.astype(np.float32), first[rows].astype(np.float32), KIND)


def test_answers_that_depend_on_the_batch_are_refused_with_how_many_and_how_much() -> None:
    first = np.tile([[0.0, 10.0]], (200, 1))
    rows = repeats.repeated_rows(200)
    again = first[rows]
    again[:3] = [[10.0, 0.0]]

    with pytest.raises(Rejected) as caught:
        repeats.refuse_dependence(again.astype(np.float32), first[rows].astype(np.float32), KIND)

    # Three rows of twenty are off by 10, where answers are 5 from their mean: 30%.
    assert caught.value.code == "batch_dependent_output"
    assert caught.value.findings[0].facts == {"found": 3, "total": 20, "percent_difference": 30.0}


def test_how_much_is_told_up_to_a_bound() -> None:
    first = np.zeros((200, 2))
    rows = repeats.repeated_rows(200)
    again = np.tile([[1e30, 0.0]], (len(rows), 1))

    with pytest.raises(Rejected) as caught:
        repeats.refuse_dependence(again.astype(np.float32), first[rows].astype(np.float32), KIND)

    assert caught.value.findings[0].facts["percent_difference"] == 1000


SAMPLES = 10


@pytest.fixture
def prepared(tmp_path: Path) -> PreparedData:
    np.save(tmp_path / "inputs.npy", np.arange(SAMPLES * 12, dtype=np.uint8).reshape(SAMPLES, 3, 2, 2))
    return PreparedData(
        inputs=tmp_path / "inputs.npy",
        samples=SAMPLES,
        digest="sha256:d",
        labels=np.zeros(SAMPLES, np.int64),
        private=np.zeros(SAMPLES, np.bool_),
        places=np.arange(SAMPLES),
        weights=None,
        groups=None,
    )


def small(loadable: Loadable, *, captured: bool = False, form: Format = Format.CVPR_ZIP) -> Loadable:
    """Return the model with two columns and no budget, whose processor time is not looked at."""
    track = loadable.track
    output = replace(track.output, width=2, class_names=())
    track = replace(track, output=output, budgets=replace(track.budgets, max_macs=None))
    package = replace(loadable.package, format=form)
    return replace(loadable, package=package, track=track, captured=captured)


FIRST = np.arange(2 * SAMPLES, dtype=np.float32).reshape(SAMPLES, 2)
ROWS = repeats.repeated_rows(SAMPLES)


@pytest.mark.parametrize(("captured", "form"), [(True, Format.CVPR_ZIP), (False, Format.ONNX)])
def test_a_graph_is_asked_again_in_the_same_run(
    captured: bool,
    form: Format,
    prepared: PreparedData,
    tmp_path: Path,
) -> None:
    sandbox = FakeSandbox({Task.PREDICT: (predicted(np.concatenate([FIRST, FIRST[ROWS]])),)})
    tools = Tools(sandbox=sandbox, workdir=tmp_path, note=lambda stage: None)

    answers = repeats.predict(small(model(), captured=captured, form=form), prepared, tools)

    (job,) = sandbox.jobs
    assert (job.request.samples, job.request.batch_size) == (SAMPLES, 32)
    assert (job.request.again, job.request.again_batch) == (tuple(ROWS.tolist()), 21)
    assert (answers.predictions == FIRST).all()


def test_a_graph_that_answers_otherwise_the_second_time_is_refused(
    prepared: PreparedData, tmp_path: Path
) -> None:
    sandbox = FakeSandbox({Task.PREDICT: (predicted(np.concatenate([FIRST, -FIRST[ROWS]])),)})
    tools = Tools(sandbox=sandbox, workdir=tmp_path, note=lambda stage: None)

    with pytest.raises(Rejected) as caught:
        repeats.predict(small(model(), captured=True), prepared, tools)

    assert caught.value.code == "batch_dependent_output"


def test_answers_that_are_missing_in_the_end_are_missed(prepared: PreparedData, tmp_path: Path) -> None:
    sandbox = FakeSandbox({Task.PREDICT: (predicted(np.concatenate([FIRST, FIRST[ROWS][:-1]])),)})
    tools = Tools(sandbox=sandbox, workdir=tmp_path, note=lambda stage: None)

    with pytest.raises(Rejected) as caught:
        repeats.predict(small(model(), captured=True), prepared, tools)

    assert caught.value.code == "wrong_output_count"


def test_code_is_asked_again_in_a_run_that_begins_anew(prepared: PreparedData, tmp_path: Path) -> None:
    sandbox = FakeSandbox({Task.PREDICT: (predicted(FIRST), predicted(FIRST[ROWS]))})
    tools = Tools(sandbox=sandbox, workdir=tmp_path, note=lambda stage: None)

    answers = repeats.predict(small(model()), prepared, tools)

    first, again = sandbox.jobs
    assert (first.request.again, again.request.again) == ((), ())
    assert (first.request.batch_size, again.request.batch_size) == (32, 21)
    assert (np.load(again.inputs) == np.load(prepared.inputs)[ROWS]).all()
    assert (answers.predictions == FIRST).all()
