"""The score of GASBench against what its own code gives, case by case."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.contracts import Metric
from scoring.errors import Fault
from scoring.metrics import score
from scoring.metrics.confusion import correlation
from scoring.metrics.guesses import Guesses, binary_losses
from scoring.metrics.sn34 import combine, terms

# label, called class, probability of "not real"; then MCC, Brier, cross-entropy and the score.
VECTORS = {
    "none": ([], 0, 0.25, 0, 0.000001),
    "flawless": ([(0, 0, 0.0), (1, 1, 1.0)] * 2, 1, 0, 1e-7, 1),
    "confident": ([(0, 0, 0.1), (1, 1, 0.9)] * 2, 1, 0.01, 0.105360516, 0.963926921),
    "undecided": ([(0, 0, 0.5), (1, 0, 0.5)] * 2, 0, 0.25, 0.693147181, 0.000001),
    "always wrong": ([(0, 1, 1.0), (1, 0, 0.0)], -1, 0.9999998, 16.118095651, 0.000001),
    "one miss": (
        [(0, 0, 0.2), (1, 1, 0.8), (0, 0, 0.2), (1, 0, 0.4)],
        0.577350269,
        0.12,
        0.396430346,
        0.481439698,
    ),
    "three classes": ([(1, 0, 0.6), (0, 0, 0.1), (1, 1, 0.9)], 0.5, 0.06, 0.240515552, 0.657308111),
    "one class only": ([(1, 1, 0.9), (1, 1, 0.8)], 0, 0.025, 0.164252033, 0.600067715),
}


def guesses(rows):
    truth = np.array([row[0] for row in rows], dtype=np.int64)
    called = np.array([row[1] for row in rows], dtype=np.int64)
    brier, cross_entropy = binary_losses(truth, np.array([row[2] for row in rows], dtype=np.float64))
    return Guesses(classes=2, truth=truth, called=called, brier=brier, cross_entropy=cross_entropy)


def found(metric, labels, probabilities, weights=None):
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(np.array(probabilities)), -200).astype(np.float32)
    return score(metric, (), np.array(labels), logits, weights)[metric]


@pytest.mark.parametrize("case", VECTORS)
def test_its_terms_are_those_of_gasbench(case):
    rows, mcc, brier, cross_entropy, *_ = VECTORS[case]

    measured = terms(guesses(rows), None)

    expected = pytest.approx((mcc, brier, cross_entropy), abs=1e-9)
    assert (measured.mcc, measured.brier, measured.cross_entropy) == expected


@pytest.mark.parametrize("case", VECTORS)
def test_its_mean_is_that_of_gasbench(case):
    rows, _, _, _, expected = VECTORS[case]
    measured = terms(guesses(rows), None)

    assert float(combine(measured.mcc, measured.brier)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("case", ["flawless", "confident", "undecided", "one miss", "one class only"])
def test_two_columns_are_a_softmax(case):
    rows, mcc, brier, cross_entropy, combined = VECTORS[case]

    value = found(Metric.SN34_SCORE, [row[0] for row in rows], [(1 - row[2], row[2]) for row in rows])

    assert value.value == pytest.approx(combined, abs=1e-6)
    expected = {"mcc": mcc, "brier": brier, "cross_entropy": cross_entropy}
    assert value.details == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("case", ["flawless", "confident", "undecided", "always wrong", "one miss"])
def test_one_column_is_a_sigmoid_and_a_half_is_real(case):
    rows, mcc, brier, cross_entropy, combined = VECTORS[case]
    with np.errstate(divide="ignore"):
        chance = np.array([row[2] for row in rows])
        logits = np.clip(np.log(chance) - np.log(1 - chance), -200, 200).astype(np.float32)[:, None]

    value = score(Metric.SN34_SCORE, (), np.array([row[0] for row in rows]), logits)["sn34_score"]

    assert value.value == pytest.approx(combined, abs=1e-6)
    expected = {"mcc": mcc, "brier": brier, "cross_entropy": cross_entropy}
    assert value.details == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("labels", [[1, 0, 1], [2, 0, 1], [1, 0, 2]])
def test_of_three_columns_the_first_is_real_and_the_highest_is_called(labels):
    probabilities = [[0.4, 0.3, 0.3], [0.9, 0.05, 0.05], [0.1, 0.2, 0.7]]

    value = found(Metric.SN34_SCORE, labels, probabilities)

    assert value.value == pytest.approx(0.657308111, abs=1e-6)
    assert value.details == pytest.approx({"mcc": 0.5, "brier": 0.06, "cross_entropy": 0.240515552}, abs=1e-6)


def test_swapping_synthetic_and_semisynthetic_matters_to_the_multiclass_score_alone():
    labels, probabilities = [0, 1, 2], [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1]]

    assert found(Metric.SN34_SCORE, labels, probabilities).details["mcc"] == 1
    assert found(Metric.SN34_MULTICLASS, labels, probabilities).details["mcc"] < 1


def test_the_multiclass_score_follows_its_formula():
    labels, probabilities = [0, 1, 2, 2], [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.2, 0.6, 0.2]]
    brier = np.square(np.array(probabilities) - np.eye(3)[labels]).sum(axis=1).mean()
    # Three of four right: c n - sum r s = 3*4 - (1*1 + 1*2 + 2*1), n^2 - sum s^2 = 16 - 6 both ways.
    mcc = (12 - 5) / 10
    expected = np.sqrt(((mcc + 1) / 2) ** 1.2 * ((2 / 3 - brier) / (2 / 3)) ** 1.8)

    value = found(Metric.SN34_MULTICLASS, labels, probabilities)

    assert value.value == pytest.approx(expected, abs=1e-6)
    assert value.details["brier"] == pytest.approx(brier, abs=1e-6)
    assert value.details["cross_entropy"] == pytest.approx(-np.log([0.8, 0.5, 0.7, 0.2]).mean(), abs=1e-6)


def test_of_two_classes_both_versions_are_one():
    labels, probabilities = [0, 1, 0, 1], [[0.8, 0.2], [0.2, 0.8], [0.8, 0.2], [0.6, 0.4]]

    binary = found(Metric.SN34_SCORE, labels, probabilities)

    multiclass = found(Metric.SN34_MULTICLASS, labels, probabilities)
    assert (binary.value, binary.ci) == (
        pytest.approx(multiclass.value, abs=1e-9),
        pytest.approx(multiclass.ci, abs=1e-9),
    )


def test_of_two_classes_too_the_multiclass_brier_is_the_sum_over_classes():
    labels, probabilities = [0, 1, 0, 1], [[0.8, 0.2], [0.2, 0.8], [0.8, 0.2], [0.6, 0.4]]
    brier = np.square(np.array(probabilities) - np.eye(2)[labels]).sum(axis=1).mean()

    value = found(Metric.SN34_MULTICLASS, labels, probabilities)

    assert value.details["brier"] == pytest.approx(brier, abs=1e-6)
    # Its baseline is (K - 1) / K.
    expected = combine(value.details["mcc"], value.details["brier"], baseline=1 / 2)
    assert value.value == pytest.approx(float(expected), abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([[5, 1, 0], [1, 4, 1], [0, 2, 6]], 0.6264195544),
        ([[40, 10], [5, 45]], 0.7035264707),
        ([[7, 0], [3, 0]], 0.0),
        ([[0, 9], [0, 0]], 0.0),
        ([[3, 0], [0, 9]], 1.0),
        ([[0, 3], [9, 0]], -1.0),
    ],
)
def test_gorodkins_correlation_of_known_matrices(counts, expected):
    assert correlation(np.array(counts)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("width", [1, 2, 3])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_weights_count_as_copies_in_every_term(width, seed):
    random = np.random.default_rng(seed)
    labels, copies = random.integers(0, max(2, width), 30), random.integers(1, 6, 30)
    logits = random.normal(size=(30, width)).astype(np.float32)

    weighted = score(Metric.SN34_SCORE, (), labels, logits, copies.astype(np.float64))["sn34_score"]
    copied = score(Metric.SN34_SCORE, (), labels.repeat(copies), logits.repeat(copies, axis=0))["sn34_score"]

    assert (weighted.value, weighted.details) == (copied.value, copied.details)


@pytest.mark.parametrize("label", [-1, 2])
@pytest.mark.parametrize("width", [1, 2])
def test_a_label_without_a_column_is_a_fault(width, label):
    with pytest.raises(Fault):
        score(Metric.SN34_SCORE, (), np.array([0, label]), np.zeros((2, width), np.float32))


def test_the_multiclass_score_of_one_column_is_a_fault():
    with pytest.raises(Fault):
        score(Metric.SN34_MULTICLASS, (), np.array([0, 1]), np.zeros((2, 1), np.float32))


def test_the_largest_logits_overflow_nothing():
    largest = np.finfo(np.float32).max
    logits = np.array([[largest], [-largest]], np.float32)

    assert score(Metric.SN34_SCORE, (), np.array([1, 0]), logits)["sn34_score"].value == 1.0


def test_a_flawless_prediction_of_few_samples_is_not_sure():
    low, high = found(Metric.SN34_SCORE, [0, 1] * 5, [[1, 0], [0, 1]] * 5).ci

    assert low < 0.9
    assert high == 1.0


def test_the_interval_covers_the_true_score_about_95_times_in_100():
    # Calls are right with chance 0.8 at p = 0.8 or 0.2: MCC 0.6, Brier 0.8 * 0.04 + 0.2 * 0.64.
    true_score = np.sqrt(0.8**1.2 * ((0.25 - 0.16) / 0.25) ** 1.8)
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        labels = random.integers(0, 2, 400)
        called = np.where(random.random(400) < 0.8, labels, 1 - labels)
        low, high = found(Metric.SN34_SCORE, labels, np.where(called[:, None] == [0, 1], 0.8, 0.2)).ci
        covered += low <= true_score <= high

    assert 276 <= covered <= 294
