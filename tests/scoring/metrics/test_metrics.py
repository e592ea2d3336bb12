"""Properties that every metric has, tested once for all; most are those of class labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.contracts import METRIC_FACTS, TRUTH_BY_OUTPUT, Metric, OutputKind, TruthKind
from scoring.errors import Fault, Rejected
from scoring.metrics import METRICS, score

CLASSES = 7
CLASS_METRICS = [
    metric for metric, facts in METRIC_FACTS.items() if TRUTH_BY_OUTPUT[facts.output] is TruthKind.CLASSES
]


def random_case(metric, seed, samples=40, weighted=False):
    """Return labels, predictions with many ties, and weights or None."""
    random = np.random.default_rng(seed)
    confidence = METRIC_FACTS[metric].output is OutputKind.CONFIDENCE
    classes, width = (2, 1) if confidence else (CLASSES, CLASSES)
    labels = random.integers(0, classes, samples)
    predictions = random.integers(-3, 4, (samples, width)).astype(np.float32) / 2
    return labels, predictions, random.uniform(0.1, 5, samples) if weighted else None


def perfect_predictions(metric, labels):
    if METRIC_FACTS[metric].output is OutputKind.CONFIDENCE:
        return labels[:, None].astype(np.float32)
    # Far apart, so that softmax leaves nothing to the other classes.
    return 100 * np.eye(CLASSES, dtype=np.float32)[labels]


def random_truth(metric, seed, samples):
    """Return what is true of some samples, of the kind that the metric is scored against."""
    random = np.random.default_rng(seed)
    match TRUTH_BY_OUTPUT[METRIC_FACTS[metric].output]:
        case TruthKind.CLASSES:
            return random_case(metric, seed, samples)[0]
        case TruthKind.MASKS:
            return random.integers(0, CLASSES, (samples, 4, 4), dtype=np.uint8)
        case TruthKind.BOXES:
            return [random_boxes(random) for _ in range(samples)]


def random_boxes(random, boxes=3):
    """Return boxes of some class at random places, none of them a crowd."""
    corners = random.integers(0, 20, (boxes, 2))
    ends = corners + random.integers(1, 20, (boxes, 2))
    return np.hstack([corners, ends, random.integers(0, CLASSES, (boxes, 1)), np.zeros((boxes, 1))])


def answers(metric, truth):
    """Return the predictions that are right about every sample."""
    match TRUTH_BY_OUTPUT[METRIC_FACTS[metric].output]:
        case TruthKind.CLASSES:
            return perfect_predictions(metric, truth)
        case TruthKind.MASKS:
            return truth.reshape(len(truth), -1).astype(np.float32)
        case TruthKind.BOXES:
            found = [np.insert(image[:, :5], 4, 1.0, axis=1).ravel() for image in truth]
            return np.array(found, np.float32)


def test_the_table_holds_nothing_but_metrics():
    assert set(METRICS) == set(Metric)


@pytest.mark.parametrize("metric", Metric)
@given(seed=st.integers(0, 2**32 - 1), samples=st.integers(2, 20))
@settings(max_examples=25, deadline=None)
def test_the_value_stays_within_the_declared_bounds_and_inside_its_interval(metric, seed, samples):
    truth, others = random_truth(metric, seed, samples), random_truth(metric, seed + 1, samples)

    found = score(metric, (), truth, answers(metric, others), classes=CLASSES)[metric]

    least, greatest = METRIC_FACTS[metric].bounds
    assert least <= found.value <= greatest
    assert found.ci[0] <= found.value <= found.ci[1]


@pytest.mark.parametrize("metric", Metric)
def test_a_perfect_prediction_scores_best_in_the_declared_direction(metric):
    truth = random_truth(metric, 1, 40)

    found = score(metric, (), truth, answers(metric, truth), classes=CLASSES)[metric]

    facts = METRIC_FACTS[metric]
    # Losses are never 0: probabilities are kept at least 1e-7 away from 0 and 1.
    assert found.value == pytest.approx(facts.bounds[facts.higher_is_better], abs=2e-7)
    assert (found.higher_is_better, found.version) == (facts.higher_is_better, facts.version)


@pytest.mark.parametrize("metric", [metric for metric in CLASS_METRICS if METRIC_FACTS[metric].one_logit])
def test_a_single_logit_is_read_where_that_is_declared(metric):
    labels, logits = np.array([0, 1, 1, 0]), np.array([[-9], [9], [9], [-9]], np.float32)

    found = score(metric, (), labels, logits)[metric]

    facts = METRIC_FACTS[metric]
    assert found.value == pytest.approx(facts.bounds[facts.higher_is_better], abs=1e-3)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", CLASS_METRICS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_order_of_samples_changes_nothing(metric, weighted, seed):
    labels, predictions, weights = random_case(metric, seed, weighted=weighted)
    order = np.random.default_rng(seed).permutation(len(labels))
    shuffled_weights = None if weights is None else weights[order]

    assert score(metric, (), labels[order], predictions[order], shuffled_weights) == score(
        metric, (), labels, predictions, weights
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", CLASS_METRICS)
@given(seed=st.integers(0, 2**32 - 1), samples=st.integers(1, 60))
@settings(max_examples=25, deadline=None)
def test_the_interval_contains_the_value_and_stays_in_bounds(metric, weighted, seed, samples):
    labels, predictions, weights = random_case(metric, seed, samples, weighted)

    found = score(metric, (), labels, predictions, weights)[metric]

    least, greatest = METRIC_FACTS[metric].bounds
    assert least <= found.ci[0] <= found.value <= found.ci[1] <= greatest


@pytest.mark.parametrize("metric", CLASS_METRICS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_weights_that_are_equal_change_no_value(metric, seed):
    labels, predictions, _ = random_case(metric, seed)

    weighted = score(metric, (), labels, predictions, np.full(len(labels), 2.5))[metric]

    assert weighted.value == score(metric, (), labels, predictions)[metric].value


@pytest.mark.parametrize("metric", CLASS_METRICS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_a_whole_weight_counts_like_so_many_copies(metric, seed):
    labels, predictions, _ = random_case(metric, seed)
    copies = np.random.default_rng(seed).integers(1, 5, len(labels))

    weighted = score(metric, (), labels, predictions, copies.astype(np.float64))[metric]
    copied = score(metric, (), labels.repeat(copies), predictions.repeat(copies, axis=0))[metric]

    assert weighted.value == copied.value


@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_more_samples_narrow_the_interval(metric):
    labels, predictions, _ = random_case(metric, seed=2)
    few = score(metric, (), labels, predictions)[metric].ci
    many = score(metric, (), labels.repeat(100), predictions.repeat(100, axis=0))[metric].ci

    assert many[1] - many[0] < few[1] - few[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_values_that_are_not_finite_are_rejected_with_their_number(metric, bad):
    labels, predictions, _ = random_case(metric, seed=3)
    predictions[[2, 5], 0] = bad

    with pytest.raises(Rejected) as caught:
        score(metric, (), labels, predictions)

    assert caught.value.code == "not_finite"
    assert caught.value.findings[0].facts == {"found": 2, "total": predictions.size}


@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_a_wrong_count_is_rejected_with_both_numbers(metric):
    labels, predictions, _ = random_case(metric, seed=4)

    with pytest.raises(Rejected) as caught:
        score(metric, (), labels, predictions[:-1])

    assert caught.value.findings[0].facts == {"found": 39, "expected": 40}


@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_no_sample_is_a_fault(metric):
    labels, predictions, _ = random_case(metric, seed=5)

    with pytest.raises(Fault):
        score(metric, (), labels[:0], predictions[:0])


@pytest.mark.parametrize("label", [-1, CLASSES])
@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_a_label_outside_the_outputs_is_a_fault(metric, label):
    labels, predictions, _ = random_case(metric, seed=6)
    labels[3] = label

    with pytest.raises(Fault):
        score(metric, (), labels, predictions)


@pytest.mark.parametrize("metric", CLASS_METRICS)
@pytest.mark.parametrize("weights", [np.ones(39), np.zeros(40), np.full(40, np.nan), np.full(40, -1.0)])
def test_weights_that_are_missing_or_not_positive_are_a_fault(metric, weights):
    labels, predictions, _ = random_case(metric, seed=7)

    with pytest.raises(Fault):
        score(metric, (), labels, predictions, weights)


def test_best_f1_of_several_columns_is_a_fault():
    with pytest.raises(Fault):
        score(Metric.BEST_F1, (), np.array([0, 1]), np.zeros((2, 2), np.float32))


def test_the_ranking_metric_comes_first_and_none_comes_twice():
    labels, predictions, _ = random_case(Metric.ACCURACY, seed=8)

    found = score(Metric.TOP5_ACCURACY, (Metric.ACCURACY, Metric.TOP5_ACCURACY), labels, predictions)

    assert list(found) == ["top5_accuracy", "accuracy"]


def test_predictions_and_labels_are_left_as_they_were():
    labels, predictions, _ = random_case(Metric.BEST_F1, seed=9)
    labels_before, predictions_before = labels.copy(), predictions.copy()

    score(Metric.BEST_F1, (), labels, predictions)

    assert (labels == labels_before).all()
    assert (predictions == predictions_before).all()
