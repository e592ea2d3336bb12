"""Which samples run twice, and which differences between two answers to a sample are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.contracts import Format, OutputKind, Package
from scoring.errors import Rejected
from scoring.flow import repeats
from scoring.flow.found import Answers, Loadable
from scoring.tracks import load_track

KIND = OutputKind.LOGITS
RNG = np.random.default_rng(5)


def answers(predictions: np.ndarray) -> Answers:
    return Answers(predictions=predictions.astype(np.float32), cpu_s=0.1, wall_s=0.1)


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

    repeats.refuse_dependence(answers(again), answers(first), rows, KIND)


def test_one_answer_in_ten_may_fall_otherwise() -> None:
    first = RNG.normal(size=(200, 4))
    rows = repeats.repeated_rows(200)
    again = first[rows]
    again[:2] = -again[:2]

    repeats.refuse_dependence(answers(again), answers(first), rows, KIND)


def test_answers_that_depend_on_the_batch_are_refused_with_how_many_and_how_much() -> None:
    first = np.tile([[0.0, 10.0]], (200, 1))
    rows = repeats.repeated_rows(200)
    again = first[rows]
    again[:3] = [[10.0, 0.0]]

    with pytest.raises(Rejected) as caught:
        repeats.refuse_dependence(answers(again), answers(first), rows, KIND)

    # Three rows of twenty are off by 10, where answers are 5 from their mean: 30%.
    assert caught.value.code == "batch_dependent_output"
    assert caught.value.findings[0].facts == {"found": 3, "total": 20, "percent_difference": 30.0}


def test_how_much_is_told_up_to_a_bound() -> None:
    first = np.zeros((200, 2))
    rows = repeats.repeated_rows(200)
    again = np.tile([[1e30, 0.0]], (len(rows), 1))

    with pytest.raises(Rejected) as caught:
        repeats.refuse_dependence(answers(again), answers(first), rows, KIND)

    assert caught.value.findings[0].facts["percent_difference"] == 1000
