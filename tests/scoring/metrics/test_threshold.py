import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from scoring.contracts import Metric
from scoring.metrics import score


def f1(labels, scores, parameters, weights=None):
    predictions = np.array(scores, np.float32)[:, None]
    found = score(Metric.F1_AT_THRESHOLD, (), np.array(labels), predictions, weights, parameters=parameters)
    return found["f1_at_threshold"]


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.75])
@pytest.mark.parametrize("weighted", [False, True])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_it_is_scikit_learns_f1_of_the_calls(threshold, weighted, seed):
    random = np.random.default_rng(seed)
    labels, scores = random.integers(0, 2, 40), (random.integers(0, 9, 40) / 8).astype(np.float32)
    weights = random.uniform(0.5, 2, 40) if weighted else None
    expected = f1_score(labels, scores >= threshold, sample_weight=weights, zero_division=0.0)

    found = f1(labels, scores, {"threshold": threshold}, weights)

    assert found.value == pytest.approx(expected, abs=1e-5)
    assert found.details["threshold"] == threshold


def test_a_score_at_the_threshold_is_positive():
    assert f1([1, 0], [0.75, 0.5], {"threshold": 0.75}).value == 1.0


def test_a_threshold_is_rounded_as_scores_are():
    # As a 64-bit number 0.1 is below the 32-bit one, and 0.7 is above it.
    assert f1([1, 0], [0.7, 0.1], {"threshold": 0.7}).value == 1.0


@pytest.mark.parametrize(
    ("parameters", "threshold"),
    [({"anomaly_threshold": 0.75}, 0.75), ({"anomaly_threshold": 0.75, "threshold": 0.25}, 0.25)],
)
def test_an_anomaly_threshold_serves_where_no_other_is_stated(parameters, threshold):
    assert f1([1, 0], [0.5, 0.1], parameters).details["threshold"] == threshold


def test_without_a_stated_threshold_it_is_a_half():
    found = f1([1, 0, 1], [0.5, 0.4, 0.6], {"confidence": 0.1})

    assert found.value == 1.0
    assert found.details["threshold"] == 0.5


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0])])
def test_a_threshold_that_nothing_reaches_scores_0(weights):
    found = f1([1, 0], [0.1, 0.2], {"threshold": 9.0}, weights)

    assert found.value == 0.0
    assert (found.details["precision"], found.details["recall"]) == (0.0, 0.0)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0])])
def test_without_anything_positive_nothing_is_known(weights):
    assert f1([0, 0], [0.1, 0.2], {"threshold": 9.0}, weights).ci == (0.0, 1.0)
