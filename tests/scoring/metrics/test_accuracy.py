import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, top_k_accuracy_score

from scoring.contracts import Metric
from scoring.metrics import score
from scoring.metrics.accuracy import ROWS_AT_ONCE

SEEDS = st.integers(0, 2**32 - 1)


def value(metric, labels, predictions, weights=None):
    return score(metric, (), np.array(labels), np.array(predictions, np.float32), weights)[metric].value


@given(seed=SEEDS)
@settings(max_examples=50, deadline=None)
def test_accuracy_equals_scikit_learns_on_argmax_with_ties(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, 30)
    predictions = random.integers(0, 3, (30, 4)).astype(np.float32)

    assert value(Metric.ACCURACY, labels, predictions) == accuracy_score(labels, predictions.argmax(axis=1))


@given(seed=SEEDS)
@settings(max_examples=50, deadline=None)
def test_weighted_accuracy_equals_scikit_learns(seed):
    random = np.random.default_rng(seed)
    labels, weights = random.integers(0, 4, 30), random.uniform(0.5, 2, 30)
    predictions = random.integers(0, 3, (30, 4)).astype(np.float32)
    expected = accuracy_score(labels, predictions.argmax(axis=1), sample_weight=weights)

    assert value(Metric.ACCURACY, labels, predictions, weights) == pytest.approx(expected, abs=1e-5)


@given(seed=SEEDS)
@settings(max_examples=50, deadline=None)
def test_top5_equals_scikit_learns_where_nothing_ties(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 9, 30)
    predictions = random.permuted(np.tile(np.arange(9, dtype=np.float32), (30, 1)), axis=1)
    expected = top_k_accuracy_score(labels, predictions, k=5, labels=range(9))

    assert value(Metric.TOP5_ACCURACY, labels, predictions) == expected


@given(seed=SEEDS)
@settings(max_examples=50, deadline=None)
def test_top5_equals_a_stable_sort_by_output_and_index(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 9, 30)
    predictions = random.integers(0, 3, (30, 9)).astype(np.float32)
    ranked = [sorted(range(9), key=lambda c: (-row[c], c))[:5] for row in predictions]
    expected = sum(label in top for label, top in zip(labels, ranked, strict=True)) / 30

    assert value(Metric.TOP5_ACCURACY, labels, predictions) == expected


def test_a_tie_goes_to_the_lower_class_index():
    assert value(Metric.ACCURACY, [0, 1], [[1, 1], [1, 1]]) == 0.5


def test_equal_outputs_put_the_first_five_classes_on_top():
    assert value(Metric.TOP5_ACCURACY, [4, 5], np.zeros((2, 8))) == 0.5


def test_top5_of_five_or_fewer_classes_is_always_1():
    assert value(Metric.TOP5_ACCURACY, [0, 2], [[0, 1, 2], [9, 8, 7]]) == 1.0


def test_rows_beyond_the_first_block_are_scored_too():
    labels = np.zeros(ROWS_AT_ONCE + 2, dtype=np.int64)
    predictions = np.tile(np.array([1, 0], np.float32), (len(labels), 1))
    predictions[-1] = [0, 1]

    assert value(Metric.ACCURACY, labels, predictions) == (ROWS_AT_ONCE + 1) / (ROWS_AT_ONCE + 2)


def test_the_interval_is_wilsons_as_published():
    # 81 of 263: Newcombe (1998), table I, method 3: 0.2553 to 0.3662.
    labels = np.zeros(263, dtype=np.int64)
    predictions = np.tile(np.array([0, 1], np.float32), (263, 1))
    predictions[:81] = [1, 0]

    low, high = score(Metric.ACCURACY, (), labels, predictions)["accuracy"].ci

    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_unequal_weights_widen_the_interval():
    labels = np.zeros(100, dtype=np.int64)
    predictions = np.tile(np.array([[1, 0], [0, 1]], np.float32), (50, 1))
    weights = np.where(np.arange(100) < 2, 50.0, 1.0)
    low, high = score(Metric.ACCURACY, (), labels, predictions)["accuracy"].ci

    weighted_low, weighted_high = score(Metric.ACCURACY, (), labels, predictions, weights)["accuracy"].ci

    assert weighted_high - weighted_low > 2 * (high - low)
