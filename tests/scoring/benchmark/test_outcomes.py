"""From outputs to outcomes, by formula."""

import math

import numpy as np
import pytest

from scoring.benchmark.outcomes import judge
from scoring.contracts import OutputKind


def outcomes(rows: list[list[float]], labels: list[int], kind: OutputKind = OutputKind.LOGITS):
    return judge(np.array(rows, np.float32), np.array(labels, np.int64), kind)


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
