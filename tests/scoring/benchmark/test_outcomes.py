"""From outputs to outcomes, by formula."""

import math
from dataclasses import replace

import numpy as np
import pytest

from scoring.benchmark.outcomes import chance_of_truth, judge
from scoring.contracts import Metric, OutputContract, OutputKind
from scoring.tracks import load_track


def outcomes(rows, labels, kind=OutputKind.LOGITS, metric=Metric.ACCURACY):
    track = replace(
        load_track("cvpr2022-track1").spec,
        output=OutputContract(kind=kind, width=len(rows[0])),
        metric=metric,
        extra_metrics=(),
    )
    return judge(np.array(rows, np.float32), np.array(labels, np.int64), track)


def test_several_logits_are_a_softmax_and_the_largest_wins() -> None:
    judged = outcomes([[0.0, math.log(3.0)], [2.0, 2.0]], [1, 1])

    assert judged.probabilities[0] == pytest.approx([0.25, 0.75])
    assert judged.predicted.tolist() == [1, 0]
    assert judged.correct.tolist() == [True, False]


def test_one_logit_is_a_sigmoid_and_exactly_a_half_is_class_0() -> None:
    judged = outcomes([[math.log(3.0)], [0.0], [-1.0]], [1, 0, 0])

    assert judged.probabilities[0] == pytest.approx([0.25, 0.75])
    assert judged.predicted.tolist() == [1, 0, 0]


def test_a_confidence_is_a_probability_as_it_is() -> None:
    judged = outcomes([[0.75], [0.5]], [1, 0], OutputKind.CONFIDENCE)

    assert judged.probabilities[0] == pytest.approx([0.25, 0.75])
    assert judged.predicted.tolist() == [1, 0]


@pytest.mark.parametrize("size", [1e30, -1e30])
def test_huge_logits_give_probabilities_and_no_nan(size: float) -> None:
    assert outcomes([[size, 0.0], [0.0, size]], [0, 0]).probabilities.sum(axis=1).tolist() == [1.0, 1.0]
    assert np.isfinite(outcomes([[size]], [0]).probabilities).all()


def test_where_real_is_told_from_the_rest_any_other_class_is_right_for_what_is_not_real() -> None:
    rows = [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]

    judged = outcomes(rows, [2, 1, 0, 1], metric=Metric.SN34_SCORE)

    assert judged.predicted.tolist() == [1, 2, 0, 0]
    assert judged.correct.tolist() == [True, True, True, False]


def test_the_class_itself_must_be_right_elsewhere() -> None:
    judged = outcomes([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [2, 2])

    assert judged.correct.tolist() == [False, True]


def test_the_chance_of_truth_is_that_of_the_right_side() -> None:
    quarter = [0.0, math.log(3.0)]

    judged = outcomes([quarter, quarter], [0, 1], metric=Metric.SN34_SCORE)

    assert chance_of_truth(judged, np.array([0, 1])) == pytest.approx([0.25, 0.75])
