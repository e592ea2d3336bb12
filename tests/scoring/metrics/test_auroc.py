import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from scoring.contracts import Metric
from scoring.metrics import score

SEEDS = st.integers(0, 2**32 - 1)


def auroc(labels, scores, weights=None):
    predictions = np.array(scores, np.float32)[:, None]
    return score(Metric.AUROC, (), np.array(labels), predictions, weights)["auroc"]


def case(seed, distinct):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, 50)
    labels[:2] = [0, 1]
    return labels, random.integers(0, distinct, 50).astype(np.float32)


@pytest.mark.parametrize("distinct", [1, 2, 7, 10**6])
@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_it_is_scikit_learns(distinct, seed):
    labels, scores = case(seed, distinct)

    assert auroc(labels, scores).value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_weighted_it_is_scikit_learns_too(seed):
    labels, scores = case(seed, 7)
    weights = np.random.default_rng(seed).uniform(0.5, 2, 50)
    expected = roc_auc_score(labels, scores, sample_weight=weights)

    assert auroc(labels, scores, weights).value == pytest.approx(expected, abs=1e-5)


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_it_is_the_share_of_pairs_in_the_right_order(seed):
    labels, scores = case(seed, 7)
    pairs = scores[labels == 1][:, None] - scores[labels == 0]

    assert auroc(labels, scores).value == ((pairs > 0).sum() + (pairs == 0).sum() / 2) / pairs.size


@pytest.mark.parametrize("label", [0, 1])
def test_with_labels_of_one_class_nothing_is_known(label):
    found = auroc([label] * 3, [0.1, 0.5, 0.9])

    assert (found.value, found.ci) == (0.5, (0.0, 1.0))


def test_large_weights_overflow_nothing():
    found = auroc([0, 1, 0, 1], [0.1, 0.5, 0.6, 0.9], np.full(4, 1e9))

    assert found.value == 0.75


def test_a_flawless_order_of_few_samples_is_not_sure():
    low, high = auroc([0, 0, 1, 1], [1, 2, 3, 4]).ci

    assert low < 0.9
    assert high == 1.0


def test_the_bounds_are_where_the_value_is_a_normal_quantile_of_standard_errors_away():
    # Hanley and McNeil's variance at the bound, n* = (m + n) / 2 - 1 in the place of m - 1 and n - 1.
    labels, scores = case(seed=1, distinct=50)
    positives, negatives = (labels == 1).sum(), (labels == 0).sum()
    others = (positives + negatives) / 2 - 1
    found = auroc(labels, scores)
    bounds = np.array(found.ci)
    spread = 1 + others * (1 - bounds) / (2 - bounds) + others * bounds / (1 + bounds)
    errors = np.sqrt(bounds * (1 - bounds) * spread / (positives * negatives))

    assert np.abs(bounds - found.value) / errors == pytest.approx([1.959964] * 2, abs=1e-5)


def test_the_interval_covers_the_true_area_about_95_times_in_100():
    # Normal scores one standard deviation apart: Phi(1 / sqrt 2).
    true_area = 0.7602499389
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(500):
        labels = (random.random(120) < 0.4).astype(np.int64)
        low, high = auroc(labels, random.normal(size=120) + labels).ci
        covered += low <= true_area <= high

    assert 462 <= covered <= 488
