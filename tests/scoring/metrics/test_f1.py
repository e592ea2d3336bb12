import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_curve

from scoring.contracts import Metric
from scoring.metrics import score

SEEDS = st.integers(0, 2**32 - 1)


def best_f1(labels, scores, weights=None):
    predictions = np.array(scores, np.float32)[:, None]
    return score(Metric.BEST_F1, (), np.array(labels), predictions, weights)["best_f1"]


def case(seed, distinct):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 50)
    labels[0] = 1
    return labels, (random.integers(0, distinct, 50) / distinct).astype(np.float32)


@pytest.mark.parametrize("distinct", [2, 7, 10**6])
@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_it_is_the_maximum_of_scikit_learns_curve(distinct, seed):
    labels, scores = case(seed, distinct)
    precision, recall, _ = precision_recall_curve(labels, scores)
    curve = 2 * precision * recall / np.maximum(precision + recall, 1e-12)

    assert best_f1(labels, scores).value == pytest.approx(curve.max(), abs=1e-12)


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_it_is_scikit_learns_f1_at_the_reported_threshold(seed):
    labels, scores = case(seed, 7)

    found = best_f1(labels, scores)

    assert found.value == pytest.approx(f1_score(labels, scores >= found.details["threshold"]), abs=1e-12)


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_of_equally_good_thresholds_the_highest_is_reported(seed):
    labels, scores = case(seed, 7)
    f1_at = {float(t): f1_score(labels, scores >= t) for t in np.unique(scores)}
    expected = max(t for t, f1 in f1_at.items() if f1 == max(f1_at.values()))

    assert best_f1(labels, scores).details["threshold"] == expected


@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_weighted_it_is_the_maximum_of_scikit_learns_weighted_curve(seed):
    labels, scores = case(seed, 7)
    weights = np.random.default_rng(seed).uniform(0.5, 2, 50)
    precision, recall, _ = precision_recall_curve(labels, scores, sample_weight=weights)
    curve = 2 * precision * recall / np.maximum(precision + recall, 1e-12)

    assert best_f1(labels, scores, weights).value == pytest.approx(curve.max(), abs=1e-5)


def test_tied_scores_stay_together():
    # Parting the tie would allow 1.0; together TP = 1, FP = 1, FN = 0.
    assert best_f1([1, 0], [0.5, 0.5]).value == 2 / 3


def test_both_zeros_are_one_score():
    assert best_f1([1, 0], [0.0, -0.0]).value == 2 / 3


def test_neighbouring_floats_are_two_scores():
    assert best_f1([1, 0], [np.nextafter(np.float32(0.5), np.float32(1)), 0.5]).value == 1.0


def test_scores_need_not_be_probabilities():
    found = best_f1([0, 1, 1], [-3e38, -5.0, 3e38])

    assert found.value == 1.0
    assert found.details["threshold"] == -5.0


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0])])
def test_without_a_positive_label_it_is_0_and_nothing_is_known(weights):
    found = best_f1([0, 0], [0.1, 0.9], weights)

    assert found.value == 0.0
    assert found.ci == (0.0, 1.0)


def test_with_positive_labels_only_it_is_1_at_the_lowest_score():
    found = best_f1([1, 1, 1], [0.3, 0.1, 0.9])

    assert found.value == 1.0
    assert found.details["threshold"] == float(np.float32(0.1))


def test_reversed_scores_still_reach_what_calling_everything_positive_gives():
    # TP = 2, FP = 2, FN = 0.
    assert best_f1([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9]).value == 4 / 6


def test_counts_precision_and_recall_at_the_threshold_are_reported():
    found = best_f1([1, 1, 0, 0, 0], [0.9, 0.7, 0.8, 0.2, 0.1]).details

    assert (found["tp"], found["fp"], found["fn"], found["tn"]) == (2, 1, 0, 2)
    assert (found["precision"], found["recall"]) == (2 / 3, 1.0)


def test_the_interval_covers_the_true_f1_about_95_times_in_100():
    # Fixed threshold, TP rate 0.8 and FP rate 0.3 at prevalence 1/2: F1 = 1.6 / (1 + 0.8 + 0.3).
    true_f1 = 1.6 / 2.1
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        labels = (random.random(400) < 0.5).astype(np.int64)
        calls = random.random(400) < np.where(labels == 1, 0.8, 0.3)
        low, high = best_f1(labels, calls.astype(np.float32)).ci
        covered += low <= true_f1 <= high

    assert 930 <= covered <= 970
